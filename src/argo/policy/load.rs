//! From texts to a policy.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::{DUPLICATE, EMPTY, NO_ROLLOUT, Object, Policy, check};
use crate::diag::{Diagnostic, Source, has_errors};
use crate::suggest;
use crate::twin::store::Kind;
use crate::yaml;

impl Policy {
    /// Reads a policy from its files, and says everything that is wrong with it as a policy.
    ///
    /// `rollout` names the Rollout that is meant; it may be left out when there is only one.
    #[must_use]
    pub fn load(files: Vec<Arc<Source>>, rollout: Option<&str>) -> (Policy, Vec<Diagnostic>) {
        let mut found = vec![];
        let mut objects = vec![];
        for source in &files {
            let (nodes, mut diagnostics) = yaml::documents(source);
            found.append(&mut diagnostics);
            objects.extend(nodes.into_iter().filter_map(|node| Object::read(source, node, &mut found)));
        }
        if objects.is_empty() && found.is_empty() {
            found.push(nothing(&files));
            return (Policy::default(), found);
        }
        let mut policy = Policy { objects, chosen: None };
        duplicates(&policy, &mut found);
        policy.chosen = choose(&policy, rollout, &mut found);
        check::strategy(&policy, &mut found);
        check::references(&policy, &mut found);
        (policy, found)
    }
}

fn nothing(files: &[Arc<Source>]) -> Diagnostic {
    let title = match files {
        [] => "there are no manifests".to_string(),
        [file] => format!("`{}` holds no object", file.name),
        files => format!("none of {} files holds an object", files.len()),
    };
    Diagnostic::error(EMPTY, title).help("a policy is made of the files that `kubectl apply -f` would take")
}

fn duplicates(policy: &Policy, found: &mut Vec<Diagnostic>) {
    let mut seen = BTreeMap::new();
    for object in &policy.objects {
        let identity = (group(object), &object.kind_name, &object.name, &object.namespace);
        if let Some(first) = seen.insert(identity, object) {
            found.push(
                Diagnostic::error(DUPLICATE, format!("two objects are called {}", object.title()))
                    .at(object.name_span(), "again here")
                    .and_at(first.name_span(), "first here")
                    .help("a cluster would keep the one that is applied last: leave one of the files out"),
            );
        }
    }
}

fn group(object: &Object) -> &str {
    object.api_version.rsplit_once('/').map_or("", |(group, _)| group)
}

fn choose(policy: &Policy, wanted: Option<&str>, found: &mut Vec<Diagnostic>) -> Option<usize> {
    let rollouts: Vec<usize> = (0..policy.objects.len())
        .filter(|&index| policy.objects[index].kind == Some(Kind::Rollout))
        .collect();
    let name = |index: &usize| policy.objects[*index].name.as_str();
    let names: Vec<&str> = rollouts.iter().map(name).collect();
    match (wanted, rollouts.as_slice()) {
        // What could not be read may have been the Rollout.
        (_, []) if has_errors(found) => {}
        (_, []) => found.push(no_rollout(policy)),
        (None, [only]) => return Some(*only),
        (None, _) => found.push(several(policy, &rollouts)),
        (Some(wanted), _) => match rollouts.iter().find(|index| name(index) == wanted) {
            Some(index) => return Some(*index),
            None => found.push(not_among(wanted, &names)),
        },
    }
    None
}

fn no_rollout(policy: &Policy) -> Diagnostic {
    let diagnostic = Diagnostic::error(NO_ROLLOUT, "there is no Rollout among the manifests");
    match policy.of_kind(Kind::Deployment).next() {
        Some(deployment) => diagnostic
            .at(deployment.name_span(), "this Deployment replaces pods without asking anybody")
            .help("turn it into a Rollout, or add a Rollout whose `spec.workloadRef` names it"),
        None => diagnostic.help("firedrill needs the Rollout, its Services and its AnalysisTemplates"),
    }
}

fn several(policy: &Policy, rollouts: &[usize]) -> Diagnostic {
    let title = "there is more than one Rollout, and nothing says which is meant";
    let names: Vec<&str> = rollouts.iter().map(|index| policy.objects[*index].name.as_str()).collect();
    let help = format!("name it: `policy.rollout` is one of {}", names.join(", "));
    let mut diagnostic = Diagnostic::error(NO_ROLLOUT, title).help(help);
    for index in rollouts {
        diagnostic = match diagnostic.primary {
            None => diagnostic.at(policy.objects[*index].name_span(), "this one"),
            Some(_) => diagnostic.and_at(policy.objects[*index].name_span(), "or this one"),
        };
    }
    diagnostic
}

fn not_among(wanted: &str, names: &[&str]) -> Diagnostic {
    let title = format!("there is no Rollout `{wanted}` among the manifests");
    let help = match suggest::nearest(wanted, names.iter().copied()) {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("there is {}", names.join(", ")),
    };
    Diagnostic::error(NO_ROLLOUT, title).help(help)
}
