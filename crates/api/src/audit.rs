use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::{Extension, Json};
use serde::{Deserialize, Serialize};

use crate::basic::Caller;
use crate::{Api, Problem};

/// Entries when nobody says how many.
const DEFAULT: u32 = 100;
/// Entries at most.
const MOST: u32 = 1_000;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Asked {
    limit: Option<String>,
}

/// A change in `/api/audit`.
#[derive(Serialize)]
struct Change {
    /// Unix time in milliseconds.
    at_ms: i64,
    key_id: String,
    address: String,
    request_id: String,
    action: String,
    changed: String,
}

#[derive(Serialize)]
pub(crate) struct List {
    changes: Vec<Change>,
}

pub(crate) async fn list(
    State(api): State<Api>,
    Extension(caller): Extension<Caller>,
    asked: Result<Query<Asked>, QueryRejection>,
) -> Result<Json<List>, Problem> {
    caller.may(&api, "millrace:ListChanges", "*".to_owned())?;
    let Query(asked) = asked.map_err(|_| Problem::PARAMETER)?;
    let limit = asked.limit.map_or(Ok(DEFAULT), |text| text.parse());
    let limit = limit.ok().filter(|limit| (1..=MOST).contains(limit)).ok_or(Problem::PARAMETER)?;
    let changes = api.control.database().audit(limit).await.map_err(|error| {
        tracing::error!(%error, "the log of changes could not be read");
        Problem::UNAVAILABLE
    })?;
    let changes = changes.into_iter().map(|audit| Change {
        at_ms: audit.at.0.div_euclid(1_000),
        key_id: audit.who.key_id,
        address: audit.who.address,
        request_id: audit.who.request_id,
        action: audit.who.action,
        changed: audit.changed,
    });
    Ok(Json(List { changes: changes.collect() }))
}
