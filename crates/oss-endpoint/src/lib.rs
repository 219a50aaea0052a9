//! Endpoints, regions, bucket names and object keys of Alibaba Cloud OSS, parsed and addressed
