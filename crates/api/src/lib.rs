//! HTTP control plane.
