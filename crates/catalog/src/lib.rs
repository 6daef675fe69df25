//! What operators declared, and the plan it makes for one publish.
