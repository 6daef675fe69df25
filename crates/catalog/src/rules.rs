use std::collections::BTreeMap;
use std::sync::Arc;

use media::StreamId;

use crate::{Pattern, Target};

/// The templates of one family, at most one per target.
#[derive(Clone, Debug)]
pub struct Rules<R>(BTreeMap<Target, Arc<R>>);

impl<R> Default for Rules<R> {
    fn default() -> Self {
        Self(BTreeMap::new())
    }
}

impl<R> Rules<R> {
    /// Adds `rule`; gives it back when `target` is taken.
    pub(crate) fn insert(&mut self, target: Target, rule: R) -> Result<(), R> {
        if self.0.contains_key(&target) {
            return Err(rule);
        }
        self.0.insert(target, Arc::new(rule));
        Ok(())
    }

    /// The one template that applies to `stream`: (domain, app, stream) before (domain, app, \*) before
    /// (domain, \*, stream) before (domain, \*, \*) (design §4).
    pub fn applying(&self, stream: &StreamId) -> Option<&Arc<R>> {
        let app = Pattern::Name(stream.app().into());
        let name = Pattern::Name(stream.stream().into());
        let domain: Arc<str> = stream.domain().into();
        [(&app, &name), (&app, &Pattern::Any), (&Pattern::Any, &name), (&Pattern::Any, &Pattern::Any)]
            .into_iter()
            .map(|(app, stream)| Target { domain: domain.clone(), app: app.clone(), stream: stream.clone() })
            .find_map(|target| self.0.get(&target))
    }

    /// All templates, in order of their targets.
    pub fn all(&self) -> impl Iterator<Item = &Arc<R>> {
        self.0.values()
    }
}
