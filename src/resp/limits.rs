//! How much a peer may make us hold. Filled in from the settings by the server, and by the client's builder.

/// What one request may weigh.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Longest single argument, in bytes (`proto-max-bulk-len`).
    pub bulk_bytes_max: usize,
    /// Most arguments in one request.
    pub args_max: usize,
    /// Longest inline request, and longest line that holds a count or a length.
    pub inline_bytes_max: usize,
    /// Longest request in all (`client-query-buffer-limit`); never more than 4 GiB - 1, whatever is set here.
    pub query_buffer_bytes_max: usize,
    /// The client has yet to authenticate, so it gets very little room: see [`Limits::UNAUTHENTICATED_ARGS_MAX`].
    pub unauthenticated: bool,
}

impl Limits {
    /// Most arguments in a request before AUTH.
    pub const UNAUTHENTICATED_ARGS_MAX: usize = 10;
    /// Longest argument before AUTH, in bytes.
    pub const UNAUTHENTICATED_BULK_BYTES_MAX: usize = 16 * 1024;

    /// The longest request that spans can describe.
    pub(super) fn request_bytes_max(&self) -> usize {
        self.query_buffer_bytes_max.min(u32::MAX as usize)
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            bulk_bytes_max: 512 << 20,
            args_max: 1024 * 1024,
            inline_bytes_max: 64 * 1024,
            query_buffer_bytes_max: 1 << 30,
            unauthenticated: false,
        }
    }
}

/// What one reply may weigh, for whoever reads replies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReplyLimits {
    /// Longest bulk string, in bytes.
    pub bulk_bytes_max: usize,
    /// Longest line (simple strings, errors, numbers), in bytes.
    pub line_bytes_max: usize,
    /// Most values in one reply, counted over all levels.
    pub values_max: usize,
    /// Deepest nesting of aggregates; never more than 1024, whatever is set here, since dropping a value recurses.
    pub depth_max: usize,
    /// Longest reply in all, in bytes.
    pub reply_bytes_max: usize,
}

impl Default for ReplyLimits {
    fn default() -> Self {
        Self {
            bulk_bytes_max: 512 << 20,
            line_bytes_max: 1 << 20,
            values_max: 64 << 20,
            depth_max: 128,
            reply_bytes_max: 4 << 30,
        }
    }
}
