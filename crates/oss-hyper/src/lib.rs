//! A client for Alibaba Cloud OSS on tokio and hyper, over the machines of oss-proto
