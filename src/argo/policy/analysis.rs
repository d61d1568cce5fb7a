//! Which analyses a release meets, and what they measure.

use std::collections::{BTreeSet, VecDeque};

use super::{Object, Policy};
use crate::twin::store::Kind;
use crate::yaml::{Key, Node};

/// One analysis of a Rollout.
#[derive(Debug, Clone)]
pub struct Analysis<'a> {
    /// When it runs.
    pub role: Role,
    /// The Rollout it belongs to.
    pub rollout: &'a Object,
    /// The key that introduces it.
    pub key: &'a Key,
    /// The whole block.
    pub node: &'a Node,
    /// Its templates, nested ones after the template that names them.
    pub templates: Vec<TemplateUse<'a>>,
}

/// When an analysis runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// Before the active Service moves.
    PrePromotion,
    /// After the active Service has moved.
    PostPromotion,
    /// Beside the steps.
    Background,
    /// As the step with this index.
    Step(usize),
}

/// A template that an analysis uses.
#[derive(Debug, Clone)]
pub struct TemplateUse<'a> {
    /// AnalysisTemplate or ClusterAnalysisTemplate.
    pub kind: Kind,
    /// Its name.
    pub name: &'a str,
    /// Where it is named.
    pub node: &'a Node,
    /// The object that names it: the Rollout, or another template.
    pub from: &'a Object,
    /// The template itself, when it is there.
    pub object: Option<&'a Object>,
}

/// One metric of a template.
#[derive(Debug, Clone, Copy)]
pub struct Metric<'a> {
    /// The template.
    pub template: &'a Object,
    /// The metric.
    pub node: &'a Node,
    /// Its name.
    pub name: &'a str,
}

impl Role {
    /// As sentences name it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Role::PrePromotion => "pre-promotion analysis",
            Role::PostPromotion => "post-promotion analysis",
            Role::Background => "background analysis",
            Role::Step(_) => "analysis step",
        }
    }
}

impl<'a> Metric<'a> {
    /// The provider's block, when it is of this kind.
    #[must_use]
    pub fn provider(&self, name: &str) -> Option<&'a Node> {
        self.node.get("provider")?.get(name)
    }

    /// The query that is put to Prometheus.
    #[must_use]
    pub fn query(&self) -> Option<&'a Node> {
        self.provider("prometheus")?.get("query").filter(|query| query.as_str().is_some())
    }

    /// Where its name stands, or where it begins.
    #[must_use]
    pub fn name_range(&self) -> &'a std::ops::Range<usize> {
        &self.node.get("name").unwrap_or(self.node).span
    }
}

impl<'a> Analysis<'a> {
    /// Every metric that it measures.
    #[must_use]
    pub fn metrics(&self) -> Vec<Metric<'a>> {
        self.templates.iter().filter_map(|template| template.object).flat_map(metrics).collect()
    }
}

pub(super) fn metrics(template: &Object) -> impl Iterator<Item = Metric<'_>> {
    let listed = template.node.pointer("/spec/metrics").map(Node::items).unwrap_or_default();
    listed.iter().map(move |node| Metric { template, node, name: node.text("name").unwrap_or_default() })
}

pub(super) fn of_rollout<'a>(policy: &'a Policy, rollout: &'a Object) -> Vec<Analysis<'a>> {
    blocks(rollout)
        .into_iter()
        .map(|(role, key, node)| {
            let mut templates = vec![];
            collect(policy, rollout, node, &mut templates);
            Analysis { role, rollout, key, node, templates }
        })
        .collect()
}

fn entry<'a>(block: Option<&'a Node>, name: &str) -> Option<(&'a Key, &'a Node)> {
    block?.entry(name)
}

/// Where analyses stand in a Rollout.
fn blocks(rollout: &Object) -> Vec<(Role, &Key, &Node)> {
    let strategy =
        |name: &str| rollout.node.pointer("/spec/strategy").and_then(|strategy| strategy.get(name));
    let (blue_green, canary) = (strategy("blueGreen"), strategy("canary"));
    let mut found = vec![];
    found
        .extend(entry(blue_green, "prePromotionAnalysis").map(|(key, node)| (Role::PrePromotion, key, node)));
    found.extend(
        entry(blue_green, "postPromotionAnalysis").map(|(key, node)| (Role::PostPromotion, key, node)),
    );
    found.extend(entry(canary, "analysis").map(|(key, node)| (Role::Background, key, node)));
    let steps = canary.and_then(|canary| canary.get("steps")).map(Node::items).unwrap_or_default();
    for (index, step) in steps.iter().enumerate() {
        found.extend(step.entry("analysis").map(|(key, node)| (Role::Step(index), key, node)));
    }
    found
}

/// Follows template references, and those of the templates found. A template is followed once, so circles end; and
/// by a list rather than by recursion, because people decide how long the chain is.
fn collect<'a>(policy: &'a Policy, rollout: &'a Object, block: &'a Node, found: &mut Vec<TemplateUse<'a>>) {
    let mut open = VecDeque::from([(rollout, block)]);
    let mut followed = BTreeSet::new();
    while let Some((from, block)) = open.pop_front() {
        for item in block.get("templates").map(Node::items).unwrap_or_default() {
            let Some(template) = template_use(policy, from, item) else { continue };
            let is_new = followed.insert((template.kind, template.name));
            if let (true, Some(object)) = (is_new, template.object) {
                open.extend(object.node.get("spec").map(|spec| (object, spec)));
            }
            found.push(template);
        }
    }
}

fn template_use<'a>(policy: &'a Policy, from: &'a Object, item: &'a Node) -> Option<TemplateUse<'a>> {
    let node = item.get("templateName")?;
    let name = node.as_str()?;
    let cluster = item.get("clusterScope").and_then(Node::as_bool).unwrap_or(false);
    let kind = if cluster { Kind::ClusterAnalysisTemplate } else { Kind::AnalysisTemplate };
    Some(TemplateUse { kind, name, node, from, object: policy.find(from, kind, name) })
}

pub(super) fn templates_in_scope(policy: &Policy) -> Vec<&Object> {
    let used_by = |rollout: &Object| -> Vec<String> { names_used(policy, rollout) };
    let ours = policy.rollout().map(used_by).unwrap_or_default();
    let others: Vec<String> = policy.of_kind(Kind::Rollout).flat_map(used_by).collect();
    let is_template = |kind| matches!(kind, Some(Kind::AnalysisTemplate | Kind::ClusterAnalysisTemplate));
    let templates = policy.objects.iter().filter(|object| is_template(object.kind));
    templates.filter(|object| ours.contains(&object.title()) || !others.contains(&object.title())).collect()
}

fn names_used(policy: &Policy, rollout: &Object) -> Vec<String> {
    let analyses = of_rollout(policy, rollout);
    analyses
        .iter()
        .flat_map(|analysis| &analysis.templates)
        .filter_map(|used| used.object)
        .map(Object::title)
        .collect()
}
