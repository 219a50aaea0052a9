//! Processing of images, video and documents whose result OSS stores.

use alloc::string::String;

use bytes::Bytes;

use super::words::RequestPayer;

operation! {
    /// Processes an object and stores the result as another object; to read a result instead, see
    /// [`GetObject::process`](crate::GetObject::process).
    ///
    /// [ProcessObject](https://help.aliyun.com/zh/oss/user-guide/sys-or-saveas)
    ProcessObject = POST Object slow ["x-oss-process" = ""] (
        /// What to do and where to store it: `image/resize,w_100|sys/saveas,o_YS5qcGc,b_YnVja2V0`, in which
        /// the key and the bucket are URL-safe base64.
        process: String = form "x-oss-process",
    ) {
        /// Who pays.
        request_payer: RequestPayer = header "x-oss-request-payer",
    } -> collect ProcessObjectOutput {
        /// The bucket of the result.
        bucket:    Option<String> = json "bucket",
        /// The key of the result.
        object:    Option<String> = json "object",
        /// The size of the result in bytes.
        file_size: Option<u64>    = json "fileSize",
        /// `OK`.
        status:    Option<String> = json "status",
        /// The answer as it came.
        body:      Bytes          = body,
    }
}

operation! {
    /// Begins to process an object; the result is stored when it is done.
    ///
    /// [AsyncProcessObject](https://help.aliyun.com/zh/oss/user-guide/asynchronous-processing)
    AsyncProcessObject = POST Object ["x-oss-async-process" = ""] (
        /// What to do and where to store it: `video/convert,f_avi|sys/saveas,o_YS5hdmk,b_YnVja2V0`, in which
        /// the key and the bucket are URL-safe base64.
        process: String = form "x-oss-async-process",
    ) {
        /// Who pays.
        request_payer: RequestPayer = header "x-oss-request-payer",
    } -> collect AsyncProcessObjectOutput {
        /// What names the event.
        event_id:   Option<String> = json "EventId",
        /// The request, as the processing service names it.
        request_id: Option<String> = json "RequestId",
        /// What names the task.
        task_id:    Option<String> = json "TaskId",
        /// The answer as it came.
        body:       Bytes          = body,
    }
}
