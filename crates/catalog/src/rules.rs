use std::fmt;
use std::sync::Arc;

use media::{StreamId, Wall};
use output::Bucket;
use rpds::RedBlackTreeMapSync;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::{Fault, Known, Pattern, Selector, Target};

/// A family of templates or configs.
pub trait Rule: Sized + Clone + fmt::Debug {
    /// One as it was written.
    type Raw: Clone + fmt::Debug + PartialEq + Serialize + DeserializeOwned;

    /// The family's name: of its rows, and in warnings.
    const KIND: &'static str;

    /// Checks one.
    ///
    /// # Errors
    /// The first fault.
    fn check(raw: &Self::Raw, known: &Known<'_>) -> Result<Self, Fault>;

    /// Which streams it is for.
    fn target(&self) -> &Target;

    /// Where it stores things, if it does.
    fn store(&self) -> Option<&Bucket> {
        None
    }

    /// Writes the defaults of this rule into what was given.
    fn fill(&self, given: &mut Self::Raw);

    /// The target that `selector` names.
    ///
    /// # Errors
    /// A name that is absent or that cannot be.
    fn select(selector: &Selector, known: &Known<'_>) -> Result<Target, Fault>;

    /// The names in `raw` that make the key.
    fn selector(raw: &Self::Raw) -> Selector;

    /// `given` with what `change` gives.
    ///
    /// # Errors
    /// Something that every change must give is absent.
    fn merge(given: &Self::Raw, change: &Self::Raw) -> Result<Self::Raw, Fault>;

    /// Whether `change` gives a time that must be near the present.
    fn is_timed(_change: &Self::Raw) -> bool {
        false
    }

    /// What it asks for that this version does not do.
    fn unavailable(&self) -> Vec<String> {
        Vec::new()
    }

    /// The fault when its place is taken.
    fn exists() -> Fault;

    /// The fault when there is none to change.
    fn not_found() -> Fault;
}

/// Who declared something.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Origin {
    /// The config file: read-only through the API.
    #[default]
    File,
    /// A command.
    Api,
}

/// Who declared something, and when.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stamp {
    /// Who.
    pub origin: Origin,
    /// When it was first declared.
    pub created: Wall,
    /// When it was last changed.
    pub updated: Wall,
}

/// A valid template or config and where it comes from.
#[derive(Clone, Debug, PartialEq)]
pub struct Template<R: Rule> {
    /// What it means.
    pub rule: R,
    /// What was given, with defaults filled in and the domain in lower case.
    pub given: R::Raw,
    /// Who declared it, and when.
    pub stamp: Stamp,
}

/// The templates of one family, at most one per target. Cheap to clone and to change, however many there are: a
/// clone shares everything, and a change copies a path of the tree.
#[derive(Clone, Debug)]
pub struct Rules<R: Rule>(RedBlackTreeMapSync<Target, Arc<Template<R>>>);

impl<R: Rule> Default for Rules<R> {
    fn default() -> Self {
        Self(RedBlackTreeMapSync::new_sync())
    }
}

impl<R: Rule> Rules<R> {
    /// Adds `template`, or replaces the one for the same streams.
    pub(crate) fn put(&mut self, template: Template<R>) {
        self.0.insert_mut(template.rule.target().clone(), Arc::new(template));
    }

    /// Removes the template of exactly `target`.
    pub(crate) fn remove(&mut self, target: &Target) {
        self.0.remove_mut(target);
    }

    /// The template of exactly `target`.
    pub fn get(&self, target: &Target) -> Option<&Arc<Template<R>>> {
        self.0.get(target)
    }

    /// The config of a whole domain; `domain` in lower case.
    pub fn of_domain(&self, domain: &str) -> Option<&Arc<Template<R>>> {
        self.get(&Target::of_domain(domain.into()))
    }

    /// The one template that applies to `stream`: (domain, app, stream) before (domain, app, \*) before
    /// (domain, \*, stream) before (domain, \*, \*) (design §4).
    pub fn applying(&self, stream: &StreamId) -> Option<&Arc<Template<R>>> {
        let app = Pattern::Name(stream.app().into());
        let name = Pattern::Name(stream.stream().into());
        let domain: Arc<str> = stream.domain().into();
        [(&app, &name), (&app, &Pattern::Any), (&Pattern::Any, &name), (&Pattern::Any, &Pattern::Any)]
            .into_iter()
            .map(|(app, stream)| Target { domain: domain.clone(), app: app.clone(), stream: stream.clone() })
            .find_map(|target| self.get(&target))
    }

    /// All templates, in order of their targets.
    pub fn all(&self) -> impl Iterator<Item = &Arc<Template<R>>> {
        self.0.values()
    }
}
