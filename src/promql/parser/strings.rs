//! String literals: the escapes of Go's `strconv.Unquote`, in double, single or back quotes.

/// Why a literal has no value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Flaw {
    /// An escape sequence Go does not know.
    Escape,
    /// Byte escapes that do not add up to UTF-8, which no label can hold.
    NotUtf8,
}

/// The value of a literal given with its quotes.
pub(super) fn unquote(literal: &str) -> Result<String, Flaw> {
    let quote = literal.as_bytes().first().copied().ok_or(Flaw::Escape)?;
    let body = literal.get(1..literal.len().saturating_sub(1)).ok_or(Flaw::Escape)?;
    if quote == b'`' || !body.contains('\\') {
        return Ok(body.to_owned());
    }
    let mut bytes = Vec::with_capacity(body.len());
    let mut rest = body;
    while let Some(at) = rest.find('\\') {
        bytes.extend_from_slice(&rest.as_bytes()[..at]);
        rest = escape(&rest[at + 1..], quote, &mut bytes).ok_or(Flaw::Escape)?;
    }
    bytes.extend_from_slice(rest.as_bytes());
    String::from_utf8(bytes).map_err(|_| Flaw::NotUtf8)
}

/// Decodes one escape (the backslash is already gone) and returns what follows it.
fn escape<'a>(rest: &'a str, quote: u8, bytes: &mut Vec<u8>) -> Option<&'a str> {
    let code = *rest.as_bytes().first()?;
    let simple = match code {
        b'a' => 0x07,
        b'b' => 0x08,
        b'f' => 0x0c,
        b'n' => b'\n',
        b'r' => b'\r',
        b't' => b'\t',
        b'v' => 0x0b,
        b'\\' => b'\\',
        c if c == quote => c,
        b'x' => return numeric(rest, 1, 2, 16, bytes),
        b'u' => return numeric(rest, 1, 4, 16, bytes),
        b'U' => return numeric(rest, 1, 8, 16, bytes),
        b'0'..=b'7' => return numeric(rest, 0, 3, 8, bytes),
        _ => return None,
    };
    bytes.push(simple);
    rest.get(1..)
}

fn numeric<'a>(
    rest: &'a str,
    skip: usize,
    digits: usize,
    radix: u32,
    bytes: &mut Vec<u8>,
) -> Option<&'a str> {
    let text = rest.get(skip..skip + digits).filter(|t| t.bytes().all(|b| b.is_ascii_hexdigit()))?;
    let value = u32::from_str_radix(text, radix).ok()?;
    if digits <= 3 {
        bytes.push(u8::try_from(value).ok()?);
    } else {
        let mut buffer = [0; 4];
        bytes.extend_from_slice(char::from_u32(value)?.encode_utf8(&mut buffer).as_bytes());
    }
    rest.get(skip + digits..)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_decode_as_in_go() {
        let cases = [
            (r#""a\n\t\"b""#, Ok("a\n\t\"b")),
            (r"'it\'s'", Ok("it's")),
            (r"`a\n`", Ok(r"a\n")),
            (r#""\x41\101\u00e9\U0001F600""#, Ok("AAé😀")),
            (r#""\xc3\xa9""#, Ok("é")),
            (r#""a\xc5z""#, Err(Flaw::NotUtf8)),
            (r#""\q""#, Err(Flaw::Escape)),
            (r#""\'""#, Err(Flaw::Escape)),
            (r#""\u12""#, Err(Flaw::Escape)),
            (r#""\ud800""#, Err(Flaw::Escape)),
            (r#""\777""#, Err(Flaw::Escape)),
        ];
        for (literal, want) in cases {
            assert_eq!(unquote(literal), want.map(str::to_owned), "{literal}");
        }
    }
}
