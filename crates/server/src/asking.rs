//! Asks an operator's OnDemandUrl whether to record (`reference/api-callbacks.md` §2.4).

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use control::Control;
use delivery::callbacks::Callbacks;
use dialect::alibaba::callback;
use hub::Hub;
use media::{SessionId, StreamId};
use output::{Answer, Inquiry};

use crate::telling::{self, Receiver};

/// Asks once per publish, whatever number of recordings want to know.
pub(crate) struct Asking {
    pub(crate) hub: Hub,
    pub(crate) control: Control,
    pub(crate) callbacks: Callbacks,
    /// Streams asked about in their present publish, and the answer if it came.
    asked: Mutex<HashMap<StreamId, Option<Answer>>>,
}

impl Asking {
    pub(crate) fn new(hub: Hub, control: Control, callbacks: Callbacks) -> Self {
        Self { hub, control, callbacks, asked: Mutex::default() }
    }

    /// A publish of `stream` begins or ended: what was answered before counts no more.
    pub(crate) fn forget(&self, stream: &StreamId) {
        self.asked.lock().unwrap_or_else(PoisonError::into_inner).remove(stream);
    }

    /// Asks `whom`; the answer goes to the session. Nobody to ask: no.
    pub(crate) fn ask(
        self: &std::sync::Arc<Self>,
        stream: &StreamId,
        session: SessionId,
        inquiry: Inquiry,
        whom: Option<Receiver>,
    ) {
        let known = {
            let mut asked = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
            match asked.get(stream) {
                // The answer goes to every recording of the session.
                Some(None) => return,
                Some(Some(answer)) => Some(answer.clone()),
                None => {
                    asked.insert(stream.clone(), None);
                    None
                }
            }
        };
        let (asking, stream) = (self.clone(), stream.clone());
        tokio::spawn(async move {
            let answer = match known {
                Some(answer) => answer,
                None => asking.decision(&stream, inquiry, whom).await,
            };
            {
                let mut asked = asking.asked.lock().unwrap_or_else(PoisonError::into_inner);
                asked.entry(stream.clone()).and_modify(|entry| *entry = Some(answer.clone()));
            }
            asking.hub.answer(&stream, session, answer).await;
        });
    }

    async fn decision(&self, stream: &StreamId, inquiry: Inquiry, whom: Option<Receiver>) -> Answer {
        let Some(Receiver { url, signed }) = whom else {
            tracing::warn!(%stream, "not recorded: the domain has no OnDemandUrl");
            return Answer::default();
        };
        let key = signed.then(|| telling::key(&self.control.catalog(), stream.domain(), "")).flatten();
        let url = callback::decision_url(&url, stream, &inquiry);
        match self.callbacks.ask(&url, key.as_deref()).await {
            Ok(reply) => {
                let answer = callback::decision(reply.status, &reply.body);
                tracing::info!(%stream, status = reply.status, record = answer.record, "OnDemandUrl answered");
                answer
            }
            Err(error) => {
                tracing::warn!(%stream, %error, "not recorded: OnDemandUrl did not answer");
                Answer::default()
            }
        }
    }
}
