//! JSON patch (RFC 6902): a list of operations, all of which apply or none does.
//!
//! As in apiserver's use of evanphx/json-patch: at most 10 000 operations, and what `copy` multiplies is bounded by
//! the size of a request. The depth is bounded too, because `move` and `copy` can nest what no reader would accept.

use serde_json::Value;

use super::super::error::ApiError;

const MAX_OPERATIONS: usize = 10_000;
const MAX_COPIED: usize = 3 * 1024 * 1024;
const MAX_DEPTH: usize = 120;

/// Applies every operation in order; the caller throws the object away on an error.
pub(super) fn apply(object: &mut Value, patch: &Value) -> Result<(), ApiError> {
    let Value::Array(operations) = patch else {
        return Err(ApiError::bad_request("a JSON patch must be a list of operations"));
    };
    if operations.len() > MAX_OPERATIONS {
        return Err(ApiError {
            code: 413,
            reason: "RequestEntityTooLarge",
            message: format!(
                "The allowed maximum operations in a JSON patch is {MAX_OPERATIONS}, got {}",
                operations.len()
            ),
        });
    }
    let mut copied = 0;
    operations.iter().try_for_each(|operation| run(object, operation, &mut copied))
}

fn run(object: &mut Value, operation: &Value, copied: &mut usize) -> Result<(), ApiError> {
    let path = pointer(operation, "path")?;
    let value = || operation.get("value").cloned().ok_or_else(|| malformed("an operation needs a \"value\""));
    match operation["op"].as_str().unwrap_or_default() {
        "add" => add(object, &path, value()?),
        "remove" => remove(object, &path).map(drop),
        "replace" => replace(object, &path, value()?),
        "test" => test(object, &path, &value()?),
        "move" => {
            let from = pointer(operation, "from")?;
            if path.len() > from.len() && path.starts_with(&from) {
                return Err(fails("move", &path, "a value cannot move into itself"));
            }
            let moved = remove(object, &from)?;
            add(object, &path, moved)
        }
        "copy" => {
            let from = pointer(operation, "from")?;
            let value = find(object, &from).cloned().ok_or_else(|| missing("copy", &from))?;
            *copied += value.to_string().len();
            if *copied > MAX_COPIED {
                return Err(ApiError::bad_request(format!("copies exceed the limit of {MAX_COPIED} bytes")));
            }
            add(object, &path, value)
        }
        other => Err(malformed(format!("unknown operation {other:?}"))),
    }
}

/// A JSON pointer, split and unescaped.
fn pointer(operation: &Value, field: &str) -> Result<Vec<String>, ApiError> {
    let text = operation.get(field).and_then(Value::as_str);
    let text = text.ok_or_else(|| malformed(format!("an operation needs a {field:?}")))?;
    match text.strip_prefix('/') {
        Some(rest) => Ok(rest.split('/').map(|token| token.replace("~1", "/").replace("~0", "~")).collect()),
        None if text.is_empty() => Ok(vec![]),
        None => Err(malformed(format!("{text:?} is not a JSON pointer"))),
    }
}

fn find<'a>(object: &'a Value, path: &[String]) -> Option<&'a Value> {
    path.iter().try_fold(object, |value, token| match value {
        Value::Object(map) => map.get(token),
        Value::Array(items) => items.get(index(token)?),
        _ => None,
    })
}

fn find_mut<'a>(object: &'a mut Value, path: &[String]) -> Option<&'a mut Value> {
    path.iter().try_fold(object, |value, token| match value {
        Value::Object(map) => map.get_mut(token),
        Value::Array(items) => items.get_mut(index(token)?),
        _ => None,
    })
}

/// RFC 6901: digits without a leading zero.
fn index(token: &str) -> Option<usize> {
    let plain = token == "0" || (!token.starts_with('0') && token.bytes().all(|byte| byte.is_ascii_digit()));
    if plain { token.parse().ok() } else { None }
}

fn add(object: &mut Value, path: &[String], value: Value) -> Result<(), ApiError> {
    if path.len() + depth(&value) > MAX_DEPTH {
        return Err(fails("add", path, "the object would be nested too deeply"));
    }
    let Some((last, parent)) = path.split_last() else {
        *object = value;
        return Ok(());
    };
    match find_mut(object, parent).ok_or_else(|| missing("add", path))? {
        Value::Object(map) => {
            map.insert(last.clone(), value);
        }
        Value::Array(items) if last == "-" => items.push(value),
        Value::Array(items) => {
            let at = index(last).filter(|at| *at <= items.len()).ok_or_else(|| missing("add", path))?;
            items.insert(at, value);
        }
        _ => return Err(missing("add", path)),
    }
    Ok(())
}

fn remove(object: &mut Value, path: &[String]) -> Result<Value, ApiError> {
    let Some((last, parent)) = path.split_last() else {
        return Ok(object.take());
    };
    let removed = match find_mut(object, parent) {
        Some(Value::Object(map)) => map.remove(last),
        Some(Value::Array(items)) => index(last).filter(|at| *at < items.len()).map(|at| items.remove(at)),
        _ => None,
    };
    removed.ok_or_else(|| missing("remove", path))
}

fn replace(object: &mut Value, path: &[String], value: Value) -> Result<(), ApiError> {
    if path.len() + depth(&value) > MAX_DEPTH {
        return Err(fails("replace", path, "the object would be nested too deeply"));
    }
    *find_mut(object, path).ok_or_else(|| missing("replace", path))? = value;
    Ok(())
}

/// RFC 6902 compares numbers by value; a missing member equals `null` in evanphx/json-patch, and so here.
fn test(object: &Value, path: &[String], expected: &Value) -> Result<(), ApiError> {
    let found = find(object, path).unwrap_or(&Value::Null);
    let same_number = found.as_f64().zip(expected.as_f64()).is_some_and(|(a, b)| a.total_cmp(&b).is_eq());
    if found == expected || same_number {
        return Ok(());
    }
    Err(fails("test", path, "the value is another one"))
}

fn depth(value: &Value) -> usize {
    match value {
        Value::Object(map) => 1 + map.values().map(depth).max().unwrap_or(0),
        Value::Array(items) => 1 + items.iter().map(depth).max().unwrap_or(0),
        _ => 0,
    }
}

fn malformed(message: impl Into<String>) -> ApiError {
    ApiError::bad_request(format!("error decoding patch: {}", message.into()))
}

fn missing(operation: &str, path: &[String]) -> ApiError {
    fails(operation, path, "nothing is there")
}

fn fails(operation: &str, path: &[String], why: &str) -> ApiError {
    let path: String = path.iter().map(|token| format!("/{token}")).collect();
    ApiError::invalid(format!(
        "the server rejected our request due to an error in our request: {operation} {path:?}: {why}"
    ))
}
