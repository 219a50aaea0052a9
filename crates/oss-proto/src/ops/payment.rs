//! Who pays for requests to a bucket and their traffic.

use super::words::Payer;
use crate::IntoField;

operation! {
    /// Sets who pays for requests and traffic; storage is always the owner's.
    ///
    /// [PutBucketRequestPayment](https://help.aliyun.com/zh/oss/developer-reference/putbucketrequestpayment)
    PutBucketRequestPayment = PUT Bucket ["requestPayment" = ""] (
        /// Who pays; a [`Payer`] will do.
        configuration: RequestPaymentConfiguration = xml "RequestPaymentConfiguration",
    ) {} -> none
}

request_shape! {
    /// Who pays for requests to a bucket.
    RequestPaymentConfiguration (
        /// Who pays.
        payer: Payer = xml "Payer",
    ) {}
}

impl IntoField<RequestPaymentConfiguration> for Payer {
    fn into_field(self) -> RequestPaymentConfiguration {
        RequestPaymentConfiguration::new(self)
    }
}

operation! {
    /// Tells who pays for requests and traffic.
    ///
    /// [GetBucketRequestPayment](https://help.aliyun.com/zh/oss/developer-reference/getbucketrequestpayment)
    GetBucketRequestPayment = GET Bucket ["requestPayment" = ""] () {}
    -> xml "RequestPaymentConfiguration" GetBucketRequestPaymentOutput {
        /// Who pays.
        payer: Option<Payer> = xml "Payer",
    }
}
