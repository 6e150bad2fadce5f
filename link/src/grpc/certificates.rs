//! Certificates for the link, so that an operator needs no other tool: a CA of the deployment's own, and a certificate for each
//! process that serves as well as calls.
//!
//! They don't expire: an expired certificate between the processes of one deployment is an outage and protects nobody, because the CA
//! signs for nothing else. Who has lost a key makes a new folder.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair, KeyUsagePurpose,
};

use super::tls::TlsFiles;

const CA_CERT: &str = "ca.pem";
const CA_KEY: &str = "ca-key.pem";

/// Why a certificate could not be made.
#[derive(Debug, thiserror::Error)]
pub enum MakeError {
    /// A file can't be read or written; one that is there already is never overwritten.
    #[error("{path}")]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// Not a host name or address, or no key of the CA.
    #[error("no certificate can be made for {what}")]
    Certificate {
        /// For what.
        what: String,
        /// Why.
        #[source]
        source: rcgen::Error,
    },
}

/// Makes a certificate for a process that others reach by `names` (host names and addresses), signed by the CA of the folder,
/// which is made if there is none. The files carry the first of the names.
///
/// # Errors
/// [`MakeError`].
pub fn make_certificate(folder: &Path, names: &[String]) -> Result<TlsFiles, MakeError> {
    fs::create_dir_all(folder).map_err(|source| MakeError::File { path: folder.to_owned(), source })?;
    let issuer = certificate_authority(folder)?;
    let name = names.first().map(String::as_str).unwrap_or_default();
    let refused = |source| MakeError::Certificate { what: name.to_owned(), source };
    let mut params = CertificateParams::new(names.to_vec()).map_err(refused)?;
    params.distinguished_name.push(DnType::CommonName, name);
    params.use_authority_key_identifier_extension = true;
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth, ExtendedKeyUsagePurpose::ClientAuth];
    let key = KeyPair::generate().map_err(refused)?;
    let certificate = params.signed_by(&key, &issuer).map_err(refused)?;
    // An address of IPv6 makes no good file name.
    let stem = name.replace([':', '/'], "-");
    let files = TlsFiles {
        ca: folder.join(CA_CERT),
        cert: folder.join(format!("{stem}.pem")),
        key: folder.join(format!("{stem}-key.pem")),
    };
    write(&files.key, &key.serialize_pem(), 0o600)?;
    write(&files.cert, &certificate.pem(), 0o644)?;
    Ok(files)
}

/// The CA of the folder. Its key stays there: keep the folder where no process can read it.
fn certificate_authority(folder: &Path) -> Result<Issuer<'static, KeyPair>, MakeError> {
    let (cert, key) = (folder.join(CA_CERT), folder.join(CA_KEY));
    let refused = |source| MakeError::Certificate { what: "the CA".to_owned(), source };
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::CommonName, "SecureConnect link CA");
    // It signs processes and no other CA.
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    // What signs is the key; what it says of itself is the same each time.
    if cert.exists() {
        let known = fs::read_to_string(&key).map_err(|source| MakeError::File { path: key, source })?;
        return Ok(Issuer::new(params, KeyPair::from_pem(&known).map_err(refused)?));
    }
    let signing = KeyPair::generate().map_err(refused)?;
    let certificate = params.self_signed(&signing).map_err(refused)?;
    write(&key, &signing.serialize_pem(), 0o600)?;
    write(&cert, &certificate.pem(), 0o644)?;
    Ok(Issuer::new(params, signing))
}

fn write(path: &Path, text: &str, mode: u32) -> Result<(), MakeError> {
    let new = || -> io::Result<File> {
        let mut file = OpenOptions::new().write(true).create_new(true).mode(mode).open(path)?;
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        Ok(file)
    };
    new().map(drop).map_err(|source| MakeError::File { path: path.to_owned(), source })
}
