//! The Alibaba Cloud OSS protocol as pure functions and state machines: requests, answers, errors, retries
