//! HTML forms: `a=b&c=d+e%21`.

use serde_json::{Map, Value};

/// A form as a JSON object of texts; of several values with one name the last one counts.
pub(super) fn read(body: &str) -> Value {
    let pairs = body.split('&').filter(|pair| !pair.is_empty());
    let fields: Map<String, Value> = pairs
        .map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            (decode(name), Value::String(decode(value)))
        })
        .collect();
    Value::Object(fields)
}

/// Percent signs that are no escapes stay as they are.
fn decode(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut decoded = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while let Some(byte) = bytes.get(at) {
        let escape = bytes.get(at + 1..at + 3).filter(|_| *byte == b'%').and_then(hex);
        match escape {
            Some(value) => decoded.push(value),
            None => decoded.push(if *byte == b'+' { b' ' } else { *byte }),
        }
        at += if escape.is_some() { 3 } else { 1 };
    }
    String::from_utf8_lossy(&decoded).into_owned()
}

fn hex(digits: &[u8]) -> Option<u8> {
    let digit = |byte: u8| char::from(byte).to_digit(16);
    let value = digit(*digits.first()?)? * 16 + digit(*digits.get(1)?)?;
    u8::try_from(value).ok()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn escapes_are_undone_and_what_is_none_stays() {
        assert_eq!(
            read("a=b+c%21&d=%zz%&e&=&%C3%A9=1"),
            json!({"a": "b c!", "d": "%zz%", "e": "", "": "", "é": "1"})
        );
    }
}
