//! RAM policy documents, and what they say to a request.

use std::net::IpAddr;

use dialect::policy::{Access, Circumstances, Policy};

use super::alibaba::NOW;

/// Two lines, an action and a resource, and the policy.
pub fn policy(input: &[u8]) {
    let text = String::from_utf8_lossy(input);
    let mut parts = text.splitn(3, '\n');
    let mut part = || parts.next().unwrap_or_default();
    let (action, resource, policy) = (part(), part(), part());
    let Ok(policy) = Policy::parse(policy) else { return };
    let may = |resources: &[String]| {
        let circumstances = Circumstances {
            now: NOW,
            secure: true,
            source: IpAddr::from([192, 0, 2, 7]),
            principal: "acs:ram::1:user/x".to_owned(),
        };
        policy.check(&Access { action, resources, circumstances: &circumstances }).is_ok()
    };
    let (one, other) = (resource.to_owned(), "*".to_owned());
    let both = may(&[one.clone(), other.clone()]);
    assert_eq!(both, may(&[one]) && may(&[other]), "what is allowed on two is allowed on each");
    assert!(policy == Policy::Full || policy == Policy::Read || !may(&[]), "nothing is allowed on nothing");
}
