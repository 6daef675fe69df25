//! RAM policy documents.
