//! Opening connections to the origin.

use std::sync::Arc;

use http::Uri;
use hyper::client::conn::http1::SendRequest;
use hyper_util::rt::TokioIo;
use rustls::{ClientConfig, RootCertStore, pki_types::ServerName};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpStream,
};
use tokio_rustls::TlsConnector;

use super::{OriginError, UnusableOrigin};
use crate::Body;

/// Where an origin is. Cheap to clone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoint(Arc<Place>);

#[derive(Debug, PartialEq, Eq)]
struct Place {
    host: String,
    port: u16,
    tls: Option<ServerName<'static>>,
}

impl Endpoint {
    /// Of `http://host[:port]` or `https://host[:port]`.
    pub fn parse(uri: &Uri) -> Result<Self, UnusableOrigin> {
        let unusable = || UnusableOrigin(uri.clone());
        let tls = match uri.scheme_str() {
            Some("http") => false,
            Some("https") => true,
            _ => return Err(unusable()),
        };
        let authority = uri.authority().ok_or_else(unusable)?;
        if !matches!(uri.path(), "" | "/") || uri.query().is_some() || authority.as_str().contains('@') {
            return Err(unusable());
        }
        let host = authority.host().trim_start_matches('[').trim_end_matches(']').to_owned();
        let port = authority.port_u16().unwrap_or(if tls { 443 } else { 80 });
        let tls = if tls { Some(ServerName::try_from(host.clone()).map_err(|_| unusable())?) } else { None };
        Ok(Self(Arc::new(Place { host, port, tls })))
    }

    pub(crate) fn is_tls(&self) -> bool {
        self.0.tls.is_some()
    }
}

/// A TLS client that trusts what the machine trusts.
pub(super) fn tls() -> Result<TlsConnector, String> {
    let found = rustls_native_certs::load_native_certs();
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(found.certs);
    if roots.is_empty() {
        return Err(found.errors.first().map_or_else(|| "none found".to_owned(), ToString::to_string));
    }
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().map_err(|e| e.to_string())?;
    let mut config = config.with_root_certificates(roots).with_no_client_auth();
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(TlsConnector::from(Arc::new(config)))
}

/// A new connection, driven by a task of its own.
pub(super) async fn connect(endpoint: &Endpoint, tls: Option<&TlsConnector>) -> Result<SendRequest<Body>, OriginError> {
    let unreachable = |error: std::io::Error| OriginError::Unreachable(error.to_string());
    let tcp = TcpStream::connect((endpoint.0.host.as_str(), endpoint.0.port)).await.map_err(unreachable)?;
    tcp.set_nodelay(true).map_err(unreachable)?;
    match (&endpoint.0.tls, tls) {
        (None, _) => handshake(tcp).await,
        (Some(name), Some(connector)) => handshake(connector.connect(name.clone(), tcp).await.map_err(unreachable)?).await,
        (Some(_), None) => Err(OriginError::Unreachable("no trusted root certificates".to_owned())),
    }
}

async fn handshake(io: impl AsyncRead + AsyncWrite + Send + Unpin + 'static) -> Result<SendRequest<Body>, OriginError> {
    let (sender, connection) =
        hyper::client::conn::http1::handshake(TokioIo::new(io)).await.map_err(|error| OriginError::Unreachable(error.to_string()))?;
    tokio::spawn(async move {
        if let Err(error) = connection.await {
            tracing::debug!(%error, "a connection to the origin ended");
        }
    });
    Ok(sender)
}
