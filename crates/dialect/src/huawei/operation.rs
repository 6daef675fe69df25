use catalog::{Catalog, Command};

use super::Refusal;
use super::refusal::answer;
use super::snapshot::{self, ListQuery};
use crate::http::{Request, Response};
use crate::percent;

/// An operation of this API.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operation {
    /// GET `/stream/snapshot`, ListSnapshotConfigs.
    ListSnapshots,
    /// POST `/stream/snapshot`, CreateSnapshotConfig.
    CreateSnapshot,
    /// PUT `/stream/snapshot`, UpdateSnapshotConfig.
    UpdateSnapshot,
    /// DELETE `/stream/snapshot`, DeleteSnapshotConfig.
    DeleteSnapshot,
}

/// What a request asks for.
#[derive(Clone, Debug, PartialEq)]
pub enum Ask {
    /// To see templates.
    List(ListQuery),
    /// To change something.
    Change(Box<Command>),
}

impl Operation {
    /// The operation that `request` names, in the server's project `project_id`.
    ///
    /// # Errors
    /// No path or method of this API, or another project's.
    pub fn of(request: &Request, project_id: &str) -> Result<Self, Refusal> {
        let path = request.path.trim_start_matches('/').trim_end_matches('/');
        let Some((project, "stream/snapshot")) =
            path.strip_prefix("v1/").and_then(|rest| rest.split_once('/'))
        else {
            return Err(Refusal::no_api());
        };
        let named = request.header("x-project-id").map_or(project_id, str::trim);
        if percent::decode(project) != project_id || named != project_id {
            return Err(Refusal::project());
        }
        match request.method.as_str() {
            "GET" => Ok(Self::ListSnapshots),
            "POST" => Ok(Self::CreateSnapshot),
            "PUT" => Ok(Self::UpdateSnapshot),
            "DELETE" => Ok(Self::DeleteSnapshot),
            _ => Err(Refusal::method()),
        }
    }

    /// Its action in policies; its resource is always `*` (seed, Authorization Information).
    pub fn action(self) -> &'static str {
        match self {
            Self::ListSnapshots => "live:snapshot:listRules",
            Self::CreateSnapshot => "live:snapshot:createRule",
            Self::UpdateSnapshot => "live:snapshot:updateRule",
            Self::DeleteSnapshot => "live:snapshot:deleteRule",
        }
    }

    /// Calls that an account may make in a second: no source says, so what Alibaba's writes have (design §10).
    pub fn per_second(self) -> u32 {
        30
    }

    /// What `request` asks of it.
    ///
    /// # Errors
    /// A parameter that is absent or of another type. What the catalog judges, it judges when it is changed.
    pub fn ask(self, request: &Request) -> Result<Ask, Refusal> {
        let change = match self {
            Self::ListSnapshots => return ListQuery::read(request).map(Ask::List),
            Self::CreateSnapshot => Command::CreateHuaweiSnapshot(snapshot::read(request)?),
            Self::UpdateSnapshot => Command::ReplaceHuaweiSnapshot(snapshot::read(request)?),
            Self::DeleteSnapshot => Command::DeleteHuaweiSnapshot(snapshot::selector(request)?),
        };
        Ok(Ask::Change(Box::new(change)))
    }

    /// The answer when `ask` was done; `catalog` is the one after it.
    pub fn answer(self, ask: &Ask, catalog: &Catalog, request_id: &str) -> Response {
        match (self, ask) {
            (_, Ask::List(query)) => answer(200, request_id, query.list(catalog)),
            (Self::CreateSnapshot, _) => answer(201, request_id, Vec::new()),
            (Self::DeleteSnapshot, _) => answer(204, request_id, Vec::new()),
            _ => answer(200, request_id, Vec::new()),
        }
    }
}
