use media::StreamId;
use output::Spec;

use crate::{Catalog, Rule as _, SecondPublisher, Template};

/// A publish that was asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Publish {
    /// Of which stream.
    pub stream: StreamId,
    /// Arguments of its URL, decoded, in order.
    pub args: Vec<(String, String)>,
}

/// What is made of one publish. It never changes: what operators change applies to the next one (design §4).
#[derive(Clone, Debug, PartialEq)]
pub struct Plan {
    /// Whose.
    pub stream: StreamId,
    /// What to make of it.
    pub outputs: Vec<Spec>,
    /// What becomes of a second publisher of the name.
    pub second_publisher: SecondPublisher,
    /// What templates ask for and will not happen.
    pub warnings: Vec<String>,
}

impl Catalog {
    /// The plan of `publish`: of each family the one template that applies.
    pub fn resolve(&self, publish: &Publish) -> Plan {
        let stream = &publish.stream;
        let mut plan = Plan {
            stream: stream.clone(),
            outputs: Vec::new(),
            second_publisher: self
                .domains
                .streaming(stream.domain())
                .map_or(SecondPublisher::default(), |domain| domain.second_publisher()),
            warnings: Vec::new(),
        };
        if let Some(Template { rule, .. }) = self.packages.applying(stream).map(AsRef::as_ref) {
            plan.outputs.push(Spec::Package(rule.settings(&self.options)));
            plan.warn("package", &rule.target, rule.unavailable());
        }
        if let Some(Template { rule, .. }) = self.records.applying(stream).map(AsRef::as_ref) {
            let notify = self.record_notifies.of_domain(stream.domain());
            let asks = notify.is_some_and(|template| template.rule.on_demand_url.is_some());
            let (outputs, warnings) = rule.resolve(publish, asks, &self.options);
            plan.outputs.extend(outputs);
            plan.warn("record", &rule.target, warnings);
        }
        if let Some(Template { rule, .. }) = self.snapshots.applying(stream).map(AsRef::as_ref) {
            plan.outputs.extend(rule.settings(&self.options).map(Spec::Snapshot));
            plan.warn("snapshot", &rule.target, rule.unavailable());
        }
        plan
    }
}

impl Plan {
    fn warn(&mut self, family: &str, target: &crate::Target, warnings: Vec<String>) {
        let named = warnings.into_iter().map(|warning| format!("{family} template {target}: {warning}"));
        self.warnings.extend(named);
    }
}
