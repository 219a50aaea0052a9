//! Credentials for Alibaba Cloud as a machine that asks questions and never fetches anything itself
