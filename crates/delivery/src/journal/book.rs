use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::Arc;

use output::{FileId, Object, Saved};
use serde::{Deserialize, Serialize};

use super::record::{Damage, Done, Parcel, Saving, Snapshot, Transaction, What};

/// Objects whose outcome is kept for the index entries and notices after them. They follow directly.
const RECENT: usize = 32;

/// Where a lane stands: the sum of its journal.
#[derive(Clone, Debug, Default)]
pub(crate) struct Book {
    /// Files that still grow.
    pub open: BTreeMap<FileId, OpenFile>,
    /// Number of the next parcel.
    pub next: u64,
    /// What is not dealt with.
    pub pending: BTreeMap<u64, Arc<What>>,
    /// Bytes of the spool that this has.
    pending_bytes: u64,
    /// What the output saved.
    pub saved: Saved,
    /// Objects whose key was taken, and the key that they have instead.
    pub renamed: HashMap<Object, String>,
    /// What became of the last objects, newest last.
    recent: VecDeque<Outcome>,
    /// How many of the pending objects replace this one.
    waiting: HashMap<Object, usize>,
}

/// A file that grows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct OpenFile {
    pub len: u64,
    pub damage: Damage,
}

/// What became of an object.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Outcome {
    /// Where it was to go.
    pub to: Object,
    /// Its key instead of that one, which was taken.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// Bytes that are stored.
    pub size: u64,
    /// Why it is not stored.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failed: Option<String>,
}

impl Book {
    /// What `snapshot` says.
    pub fn of(snapshot: &Snapshot) -> Self {
        let open = snapshot.open.iter().map(|&(id, len, damage)| (id, OpenFile { len, damage }));
        let mut book = Self {
            open: open.collect(),
            renamed: snapshot.renamed.iter().cloned().collect(),
            recent: snapshot.recent.iter().cloned().collect(),
            ..Self::default()
        };
        snapshot.saved.iter().for_each(|saving| book.saved.take(saving.save()));
        snapshot.pending.iter().for_each(|parcel| book.add(parcel));
        book.next = snapshot.next;
        book
    }

    /// The whole of it.
    pub fn snapshot(&self) -> Snapshot {
        let parcel = |(&n, what): (&u64, &Arc<What>)| Parcel { n, what: What::clone(what) };
        let mut renamed: Vec<_> =
            self.renamed.iter().map(|(object, key)| (object.clone(), key.clone())).collect();
        renamed.sort_by(|a, b| a.1.cmp(&b.1));
        Snapshot {
            open: self.open.iter().map(|(&id, file)| (id, file.len, file.damage)).collect(),
            next: self.next,
            pending: self.pending.iter().map(parcel).collect(),
            saved: Saving::all(&self.saved),
            renamed,
            recent: self.recent.iter().cloned().collect(),
        }
    }

    /// Takes in what an event caused.
    pub fn did(&mut self, transaction: &Transaction) {
        for &(id, len) in &transaction.grown {
            self.open.entry(id).or_default().len = len;
        }
        for &(id, damage) in &transaction.damaged {
            self.open.entry(id).or_default().damage = damage;
        }
        for id in &transaction.closed {
            self.open.remove(id);
        }
        transaction.parcels.iter().for_each(|parcel| self.add(parcel));
        transaction.saves.iter().for_each(|saving| self.saved.take(saving.save()));
    }

    fn add(&mut self, parcel: &Parcel) {
        if let What::Object(cargo) = &parcel.what
            && cargo.replace
        {
            *self.waiting.entry(cargo.to.clone()).or_default() += 1;
        }
        self.pending_bytes += parcel.what.spooled();
        if let Some(before) = self.pending.insert(parcel.n, Arc::new(parcel.what.clone())) {
            self.pending_bytes -= before.spooled();
        }
        self.next = self.next.max(parcel.n + 1);
    }

    /// Takes in that a parcel is dealt with; it comes back.
    pub fn done(&mut self, done: &Done) -> Option<Arc<What>> {
        let what = self.pending.remove(&done.n)?;
        self.pending_bytes -= what.spooled();
        if let What::Object(cargo) = &*what
            && let Some(count) = self.waiting.get_mut(&cargo.to)
            && cargo.replace
        {
            *count -= 1;
            if *count == 0 {
                self.waiting.remove(&cargo.to);
            }
        }
        if let Some(outcome) = &done.object {
            match &outcome.key {
                Some(key) => drop(self.renamed.insert(outcome.to.clone(), key.clone())),
                None => drop(self.renamed.remove(&outcome.to)),
            }
            if self.recent.len() == RECENT {
                self.recent.pop_front();
            }
            self.recent.push_back(outcome.clone());
        }
        Some(what)
    }

    /// What comes next, and whether a newer version of it waits that makes it pointless.
    pub fn first(&self) -> Option<(u64, Arc<What>, bool)> {
        let (&n, what) = self.pending.first_key_value()?;
        // Who is told of an object must find it.
        let told = self.pending.get(&(n + 1)).is_some_and(|next| !matches!(**next, What::Object(_)));
        let superseded = match &**what {
            What::Object(cargo) => {
                cargo.replace && !told && self.waiting.get(&cargo.to).is_some_and(|&count| count > 1)
            }
            _ => false,
        };
        Some((n, Arc::clone(what), superseded))
    }

    /// What became of the last object that was to go there.
    pub fn outcome(&self, to: &Object) -> Option<&Outcome> {
        self.recent.iter().rev().find(|outcome| outcome.to == *to)
    }

    /// Whether there is nothing left that a restart could go on with.
    pub fn is_finished(&self) -> bool {
        self.open.is_empty() && self.pending.is_empty() && self.saved.fresh.is_none()
    }

    /// Bytes of the spool that it speaks of.
    pub fn bytes(&self) -> u64 {
        self.open.values().map(|file| file.len).sum::<u64>() + self.pending_bytes
    }

    /// Bytes of objects that wait for others to be sent.
    pub fn waiting(&self) -> u64 {
        let first = self.pending.first_key_value().map_or(0, |(_, what)| what.spooled());
        self.pending_bytes - first
    }
}
