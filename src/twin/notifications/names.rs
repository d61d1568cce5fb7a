//! The functions a template names, so that one nobody knows is found when the configuration is read and not, as the
//! template library would, in the middle of a rollback.

use gotmpl::Template;
use gotmpl::parse::{CommandNode, Expr, ListNode, Node, PipeNode};

/// Go's own functions; `break` and `continue` are words of the language.
const BUILTIN: [&str; 21] = [
    "and", "break", "call", "continue", "eq", "ge", "gt", "html", "index", "js", "le", "len", "lt", "ne",
    "not", "or", "print", "printf", "println", "slice", "urlquery",
];

/// The first function that is neither Go's nor known.
pub(super) fn unknown(template: &Template, known: impl Fn(&str) -> bool) -> Option<String> {
    let names = template.templates().into_iter().chain([template.name()]);
    let mut lists: Vec<&ListNode> = names.filter_map(|name| template.lookup(name)).collect();
    while let Some(list) = lists.pop() {
        for node in &list.nodes {
            let pipe = match node {
                Node::Action(action) => Some(&action.pipe),
                Node::If(branch) | Node::Range(branch) | Node::With(branch) => {
                    lists.push(&branch.body);
                    lists.extend(&branch.else_body);
                    Some(&branch.pipe)
                }
                Node::Template(call) => call.pipe.as_ref(),
                Node::List(list) => {
                    lists.push(list);
                    None
                }
                Node::Define(define) => {
                    lists.push(&define.body);
                    None
                }
                Node::Text(_) | Node::Break(_) | Node::Continue(_) => None,
            };
            if let Some(name) = pipe.and_then(|pipe| in_pipe(pipe, &known)) {
                return Some(name);
            }
        }
    }
    None
}

/// Parentheses nest at most a hundred deep: the parser sees to it.
fn in_pipe(pipe: &PipeNode, known: &impl Fn(&str) -> bool) -> Option<String> {
    pipe.commands.iter().find_map(|CommandNode { args, .. }| args.iter().find_map(|arg| in_expr(arg, known)))
}

fn in_expr(expr: &Expr, known: &impl Fn(&str) -> bool) -> Option<String> {
    match expr {
        Expr::Identifier(_, name) => {
            let fine = BUILTIN.contains(&name.as_str()) || known(name);
            (!fine).then(|| name.to_string())
        }
        Expr::Pipe(_, pipe) => in_pipe(pipe, known),
        Expr::Chain(_, inner, _) => in_expr(inner, known),
        Expr::Dot(_)
        | Expr::Field(..)
        | Expr::Variable(..)
        | Expr::String(..)
        | Expr::Number(..)
        | Expr::Bool(..)
        | Expr::Nil(_) => None,
    }
}
