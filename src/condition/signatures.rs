//! The types of the language's own functions: overloads, and hand-written rules where Go's library has a `Validate`.

use std::sync::Arc;

use super::Dialect;
use super::types::{GoKind, Signature, Type};
use super::value::MapKind;

/// What is known about the arguments of a builtin before it runs.
pub(super) enum Rule {
    /// The first overload that fits gives the type.
    Overloads(Vec<Signature>),
    /// The library checks by hand: the type or its complaint.
    Checked(Result<Type, String>),
}

/// The rule for a call with arguments of these types. `get` and the functions with closures have rules of their own.
pub(super) fn rule(name: &str, arguments: &[Type], dialect: Dialect) -> Rule {
    match checked(name, arguments, dialect) {
        Some(result) => Rule::Checked(result),
        None => Rule::Overloads(overloads(name, dialect)),
    }
}

/// Whether the rule for `name` needs the types of its arguments.
pub(super) fn is_checked(name: &str, dialect: Dialect) -> bool {
    checked(name, &[], dialect).is_some()
}

/// The type under which v1.17.8 knows a builtin mentioned without being called.
pub(super) fn printed(name: &str) -> Signature {
    let predicate = |inputs: usize, output: Type| {
        let closure = Signature::new(
            vec![Type::Any; inputs],
            if output == Type::Bool { Type::Bool } else { Type::Any },
        );
        Type::Func(Arc::new(closure))
    };
    let list = Type::list;
    match name {
        "all" | "any" | "none" | "one" => Signature::new(vec![list(), predicate(1, Type::Bool)], Type::Bool),
        "filter" => Signature::new(vec![list(), predicate(1, Type::Bool)], list()),
        "map" => Signature::new(vec![list(), predicate(1, Type::Any)], list()),
        "find" | "findLast" => Signature::new(vec![list(), predicate(1, Type::Bool)], Type::Any),
        "findIndex" | "findLastIndex" | "count" | "sum" => {
            Signature::new(vec![list(), predicate(1, Type::Bool)], Type::Int)
        }
        "groupBy" => Signature::new(vec![list(), predicate(1, Type::Any)], Type::Map(MapKind::AnyToList)),
        "sortBy" => Signature::new(vec![list(), predicate(1, Type::Bool), Type::Str], list()),
        "reduce" => Signature::new(vec![list(), predicate(2, Type::Any), Type::Any], Type::Any),
        _ if is_checked(name, Dialect::V1_10) => Signature::untyped(),
        _ => overloads(name, Dialect::V1_10).into_iter().next().unwrap_or_else(Signature::untyped),
    }
}

fn overloads(name: &str, dialect: Dialect) -> Vec<Signature> {
    use Type::{Any, Bool, Duration, Int, Location, Str, Time};
    let strings = || Type::slice(Str);
    let one = Signature::new;
    match name {
        "type" | "string" | "toJSON" => vec![one(vec![Any], Str)],
        "fromJSON" => vec![one(vec![Str], Any)],
        "upper" | "lower" | "toBase64" | "fromBase64" => vec![one(vec![Str], Str)],
        "trim" => vec![one(vec![Str], Str), one(vec![Str, Str], Str)],
        "trimPrefix" | "trimSuffix" => vec![one(vec![Str, Str], Str), one(vec![Str], Str)],
        "split" | "splitAfter" => vec![one(vec![Str, Str], strings()), one(vec![Str, Str, Int], strings())],
        "replace" => vec![one(vec![Str, Str, Str, Int], Str), one(vec![Str, Str, Str], Str)],
        "repeat" => vec![one(vec![Str, Int], Str)],
        "join" => vec![
            one(vec![strings(), Str], Str),
            one(vec![Type::list(), Str], Str),
            one(vec![Type::list()], Str),
            one(vec![strings(), Str], Str),
            one(vec![strings()], Str),
        ],
        "indexOf" | "lastIndexOf" => vec![one(vec![Str, Str], Int)],
        "hasPrefix" | "hasSuffix" => vec![one(vec![Str, Str], Bool)],
        "now" => vec![one(vec![], Time)],
        "duration" => vec![Signature::fallible(vec![Str], Duration)],
        "date" => vec![one(vec![Str], Time), one(vec![Str, Str], Time), one(vec![Str, Str, Str], Time)],
        "timezone" => vec![Signature::fallible(vec![Str], Location)],
        "sort" if dialect == Dialect::V1_10 => {
            let lists = [Any, Int, Type::Float, Str].map(Type::slice);
            let ordered = lists.iter().map(|list| one(vec![list.clone(), Str], Type::list()));
            let plain = [Any, Type::Float, Str, Int].map(|elem| one(vec![Type::slice(elem)], Type::list()));
            ordered.chain(plain).collect()
        }
        "bitnot" => vec![one(vec![Int], Int)],
        _ if name.starts_with("bit") => vec![one(vec![Int, Int], Int)],
        _ => vec![Signature::untyped()],
    }
}

fn checked(name: &str, arguments: &[Type], dialect: Dialect) -> Option<Result<Type, String>> {
    let newer = dialect == Dialect::V1_10;
    let aggregate = matches!(name, "min" | "max") || (newer && matches!(name, "mean" | "median"));
    Some(match name {
        _ if aggregate => aggregated(name, arguments, newer),
        "sum" | "mean" | "median" => only(arguments).and_then(|ty| {
            let verb = if name == "mean" { "avg" } else { name };
            let output = if name == "sum" { Type::Any } else { Type::Float };
            collection(ty).map(|()| output).ok_or_else(|| format!("cannot {verb} {}", ty.show_string()))
        }),
        "len" => only(arguments).and_then(|ty| {
            let fits = ty.is_any() || ty.is_map() || ty.is_array() || *ty == Type::Str;
            fits.then_some(Type::Int).ok_or_else(|| invalid("len", ty))
        }),
        "abs" => {
            only(arguments).and_then(|ty| if numeric(ty) { Ok(ty.clone()) } else { Err(invalid(name, ty)) })
        }
        "ceil" | "floor" | "round" => only(arguments).and_then(|ty| {
            // v1.15.5 calls round "floor" in this message.
            let shown = if name == "round" && !newer { "floor" } else { name };
            if numeric(ty) { Ok(Type::Float) } else { Err(invalid(shown, ty)) }
        }),
        "int" | "float" => only(arguments).and_then(|ty| {
            let output = if name == "int" { Type::Int } else { Type::Float };
            if numeric(ty) || *ty == Type::Str { Ok(output) } else { Err(invalid(name, ty)) }
        }),
        "first" | "last" => only(arguments).and_then(|ty| match ty {
            _ if ty.is_any() => Ok(Type::Any),
            _ if ty.is_array() => Ok(ty.erased().elem(dialect)),
            _ => Err(format!("cannot get {name} element from {}", ty.show_string())),
        }),
        "take" => taken(arguments),
        "keys" | "values" => only(arguments).and_then(|ty| {
            let fits = ty.is_any() || ty.is_map();
            fits.then(Type::list).ok_or_else(|| format!("cannot get {name} from {}", ty.show_string()))
        }),
        "toPairs" => only(arguments).and_then(|ty| {
            let fits = ty.is_any() || ty.is_map();
            fits.then(Type::list).ok_or_else(|| format!("cannot transform {} to pairs", ty.show_string()))
        }),
        "fromPairs" => only(arguments).and_then(|ty| {
            let pairs = Type::Map(MapKind::AnyToAny);
            collection(ty)
                .map(|()| pairs)
                .ok_or_else(|| format!("cannot transform {} from pairs", ty.show_string()))
        }),
        "reverse" | "uniq" | "flatten" => only(arguments).and_then(|ty| {
            collection(ty).map(|()| Type::list()).ok_or_else(|| format!("cannot {name} {}", ty.show_string()))
        }),
        "concat" => concatenated(arguments),
        "sort" | "sortBy" if !newer => sorted(name, arguments),
        "now" if newer => present(arguments),
        "date" if newer => parsed_date(arguments),
        _ => return None,
    })
}

fn only(arguments: &[Type]) -> Result<&Type, String> {
    match arguments {
        [ty] => Ok(ty),
        _ => Err(format!("invalid number of arguments (expected 1, got {})", arguments.len())),
    }
}

fn invalid(name: &str, ty: &Type) -> String {
    format!("invalid argument for {name} (type {})", ty.show_string())
}

fn collection(ty: &Type) -> Option<()> {
    (ty.is_any() || ty.is_array()).then_some(())
}

/// Go asks for the kind, so months and durations pass.
fn numeric(ty: &Type) -> bool {
    ty.is_any() || matches!(ty.kind(), GoKind::Float64 | GoKind::Int | GoKind::Int64 | GoKind::Uint8)
}

/// `min` and `max` of v1.15.5 take numbers only; the aggregates of v1.17.8 take lists too, and then look no further.
fn aggregated(name: &str, arguments: &[Type], newer: bool) -> Result<Type, String> {
    let Some(first) = arguments.first() else { return Err(format!("not enough arguments to call {name}")) };
    for ty in arguments {
        if ty.is_any() || (newer && ty.is_array()) {
            return Ok(Type::Any);
        }
        if !numeric(ty) {
            return Err(invalid(name, ty));
        }
    }
    Ok(first.clone())
}

fn taken(arguments: &[Type]) -> Result<Type, String> {
    let [list, count] = arguments else {
        return Err(format!("invalid number of arguments (expected 2, got {})", arguments.len()));
    };
    if collection(list).is_none() {
        return Err(format!("cannot take from {}", list.show_string()));
    }
    if !count.is_any() && !matches!(count.kind(), GoKind::Int | GoKind::Int64) {
        return Err(format!("cannot take {} elements", count.show_string()));
    }
    Ok(list.erased())
}

fn concatenated(arguments: &[Type]) -> Result<Type, String> {
    if arguments.is_empty() {
        return Err("invalid number of arguments (expected at least 1, got 0)".to_owned());
    }
    match arguments.iter().find(|ty| collection(ty).is_none()) {
        Some(ty) => Err(format!("cannot concat {}", ty.show_string())),
        None => Ok(Type::list()),
    }
}

fn sorted(name: &str, arguments: &[Type]) -> Result<Type, String> {
    let text = |ty: &Type| ty.is_any() || *ty == Type::Str;
    let least = if name == "sort" { 1 } else { 2 };
    if arguments.len() < least || arguments.len() > least + 1 {
        let expected = format!("{least} or {}", least + 1);
        return Err(format!("invalid number of arguments (expected {expected}, got {})", arguments.len()));
    }
    if collection(&arguments[0]).is_none() {
        return Err(format!("cannot sort {}", arguments[0].show_string()));
    }
    if arguments[1..].iter().all(text) {
        return Ok(Type::list());
    }
    // The library names the type of the second argument even when the third is wrong.
    Err(format!("invalid argument for sort (expected string, got {})", arguments[1].show_string()))
}

fn present(arguments: &[Type]) -> Result<Type, String> {
    match arguments {
        [] | [Type::Location] => Ok(Type::Time),
        _ => Err(format!("invalid number of arguments (expected 0, got {})", arguments.len())),
    }
}

fn parsed_date(arguments: &[Type]) -> Result<Type, String> {
    let texts = match arguments {
        [] => return Err("invalid number of arguments (expected at least 1, got 0)".to_owned()),
        [Type::Location, rest @ ..] => rest,
        all => all,
    };
    if texts.len() > 3 {
        return Err(format!("invalid number of arguments (expected at most 3, got {})", texts.len()));
    }
    Ok(Type::Time)
}
