//! Who may have a connection (design §10): bounds in all, per address, and before a publish was accepted.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Bounds on connections.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// In all.
    pub connections: usize,
    /// From one address.
    pub per_address: usize,
    /// That have not been accepted as publisher or player yet.
    pub pending: usize,
}

/// Counts connections. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Admission {
    limits: Limits,
    counts: Arc<Mutex<Counts>>,
}

#[derive(Debug, Default)]
struct Counts {
    all: usize,
    pending: usize,
    addresses: HashMap<IpAddr, usize>,
}

/// Why a connection was not let in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Full {
    Connections,
    Address,
    Pending,
}

impl Full {
    /// The reason as a metric label.
    pub(crate) fn label(self) -> &'static str {
        match self {
            Self::Connections => "connections",
            Self::Address => "connections_per_address",
            Self::Pending => "pending",
        }
    }
}

/// A connection's place; given back on drop.
#[derive(Debug)]
pub(crate) struct Place {
    admission: Admission,
    address: IpAddr,
    pending: bool,
}

impl Admission {
    /// Nobody is in yet.
    pub fn new(limits: Limits) -> Self {
        Self { limits, counts: Arc::default() }
    }

    /// Connections now.
    pub fn connections(&self) -> usize {
        self.counts().all
    }

    pub(crate) fn enter(&self, address: IpAddr) -> Result<Place, Full> {
        // One host owns a whole IPv6 /64, so that is what one address means there.
        let address = network(address);
        let mut counts = self.counts();
        let here = counts.addresses.get(&address).copied().unwrap_or(0);
        if counts.all >= self.limits.connections {
            return Err(Full::Connections);
        }
        if here >= self.limits.per_address {
            return Err(Full::Address);
        }
        if counts.pending >= self.limits.pending {
            return Err(Full::Pending);
        }
        counts.all += 1;
        counts.pending += 1;
        counts.addresses.insert(address, here + 1);
        Ok(Place { admission: self.clone(), address, pending: true })
    }

    fn counts(&self) -> MutexGuard<'_, Counts> {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Place {
    /// The connection is a publisher or a player now.
    pub(crate) fn accepted(&mut self) {
        if std::mem::take(&mut self.pending) {
            self.admission.counts().pending -= 1;
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.accepted();
        let mut counts = self.admission.counts();
        counts.all -= 1;
        if let Some(here) = counts.addresses.get_mut(&self.address) {
            *here -= 1;
            if *here == 0 {
                counts.addresses.remove(&self.address);
            }
        }
    }
}

fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(v6) => {
            let prefix = u128::from(v6) & !u128::from(u64::MAX);
            IpAddr::V6(prefix.into())
        }
        v4 => v4,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn each_bound_refuses_the_one_beyond_it_and_a_place_given_back_is_free() {
        let admission = Admission::new(Limits { connections: 3, per_address: 2, pending: 2 });
        let mut first = admission.enter(ip("127.0.0.1")).unwrap();
        let second = admission.enter(ip("127.0.0.1")).unwrap();
        assert_eq!(admission.enter(ip("127.0.0.1")).unwrap_err(), Full::Address);
        assert_eq!(admission.enter(ip("127.0.0.2")).unwrap_err(), Full::Pending);
        first.accepted();
        let third = admission.enter(ip("127.0.0.2")).unwrap();
        assert_eq!(admission.enter(ip("127.0.0.3")).unwrap_err(), Full::Connections);
        drop((first, second, third));
        assert_eq!(admission.connections(), 0);
        assert!(admission.enter(ip("127.0.0.1")).is_ok());
    }

    #[test]
    fn addresses_of_one_ipv6_network_count_as_one() {
        let admission = Admission::new(Limits { connections: 9, per_address: 1, pending: 9 });
        let _first = admission.enter(ip("2001:db8::1")).unwrap();
        assert_eq!(admission.enter(ip("2001:db8::ffff")).unwrap_err(), Full::Address);
        assert!(admission.enter(ip("2001:db8:0:1::1")).is_ok());
    }
}
