//! Who the server is: a certificate authority for one process, its one certificate, and the token it wants to see.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa, KeyPair,
    KeyUsagePurpose, SanType,
};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use tokio_rustls::rustls::{self, ServerConfig};

use super::ServeError;
use crate::cluster::chance;

/// What a process is known by.
pub(super) struct Identity {
    /// The authority's certificate, PEM.
    pub(super) authority: String,
    /// The bearer token.
    pub(super) token: String,
    /// TLS with the certificate.
    pub(super) acceptor: TlsAcceptor,
}

/// A new identity, by the operating system's chance.
pub(super) fn new() -> Result<Identity, ServeError> {
    let provider = Arc::new(ring::default_provider());
    let token = chance::token().map_err(trouble)?;
    let (authority, chain, key) = certificates().map_err(trouble)?;
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .and_then(|config| config.with_no_client_auth().with_single_cert(chain, key));
    let mut config = config.map_err(trouble)?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    // Tickets and stored sessions would be kept for clients that come once.
    config.send_tls13_tickets = 0;
    config.session_storage = Arc::new(rustls::server::NoServerSessionStorage {});
    Ok(Identity { authority, token, acceptor: TlsAcceptor::from(Arc::new(config)) })
}

fn trouble(error: impl std::fmt::Display) -> ServeError {
    ServeError::Identity(error.to_string())
}

type Certificates = (String, Vec<rustls::pki_types::CertificateDer<'static>>, PrivateKeyDer<'static>);

/// An authority and a certificate that it signed: some clients take no certificate that vouches for itself.
fn certificates() -> Result<Certificates, rcgen::Error> {
    let mut authority = CertificateParams::default();
    authority.distinguished_name.push(DnType::CommonName, "firedrill twin authority");
    authority.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    authority.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    let authority = CertifiedIssuer::self_signed(authority, KeyPair::generate()?)?;
    let mut server = CertificateParams::new(vec!["localhost".to_owned()])?;
    server.subject_alt_names.push(SanType::IpAddress(IpAddr::V4(Ipv4Addr::LOCALHOST)));
    server.distinguished_name.push(DnType::CommonName, "firedrill twin");
    server.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    let key = KeyPair::generate()?;
    let server = server.signed_by(&key, &authority)?;
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
    Ok((authority.pem(), vec![server.der().clone()], key))
}
