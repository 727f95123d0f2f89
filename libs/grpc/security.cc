#include "libs/grpc/security.h"

#include <fmt/format.h>
#include <grpcpp/security/tls_certificate_provider.h>
#include <grpcpp/security/tls_certificate_verifier.h>
#include <grpcpp/security/tls_credentials_options.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <sys/stat.h>

#include <fstream>
#include <sstream>
#include <vector>

#include "libs/base/error.h"

namespace protector::rpc {
namespace {

namespace tls = ::grpc::experimental;

constexpr unsigned kRereadSeconds = 1;

template <typename T, void (*Free)(T*)>
struct Freed {
  void operator()(T* object) const { Free(object); }
};
using Certificate = std::unique_ptr<X509, Freed<X509, X509_free>>;
using Key = std::unique_ptr<EVP_PKEY, Freed<EVP_PKEY, EVP_PKEY_free>>;
using Names = std::unique_ptr<GENERAL_NAMES, Freed<GENERAL_NAMES, GENERAL_NAMES_free>>;

struct FreeBio {
  void operator()(BIO* bio) const { BIO_free(bio); }
};
using Bio = std::unique_ptr<BIO, FreeBio>;

Error FileError(const std::string& reason, const std::string& path, const std::string& what) {
  Error error(absl::StatusCode::kFailedPrecondition, reason, fmt::format("{}: {}", path, what));
  error.Object("file " + path);
  return error;
}

absl::StatusOr<std::string> ReadFile(const std::string& path, const char* key) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();
  if (path.empty() || !file) {
    return FileError("TLS_FILE_UNREADABLE", path.empty() ? "no file" : path, "the file is not there or cannot be read")
        .Remedy(fmt::format("Set {} to a PEM file that this program may read; docs/security.md says how they are made.",
                            key));
  }
  return text.str();
}

Bio Open(const std::string& pem) {
  return Bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
}

absl::StatusOr<Certificate> ReadCertificate(const std::string& path, const char* key) {
  PROTECTOR_ASSIGN_OR_RETURN(const std::string pem, ReadFile(path, key));
  Certificate certificate(PEM_read_bio_X509(Open(pem).get(), nullptr, nullptr, nullptr));
  if (certificate == nullptr) {
    return FileError("TLS_FILE_INVALID", path, "the file holds no certificate")
        .Remedy(fmt::format("{} has to name a certificate in PEM form.", key));
  }
  return certificate;
}

absl::StatusOr<Key> ReadKey(const std::string& path) {
  PROTECTOR_ASSIGN_OR_RETURN(const std::string pem, ReadFile(path, "tls.key_file"));
  struct stat status = {};
  if (stat(path.c_str(), &status) == 0 && (status.st_mode & S_IRWXO) != 0) {
    return FileError("TLS_KEY_EXPOSED", path, "every user of this machine may read the private key")
        .Remedy("chmod o= it, and have a new key made if somebody may have read it.");
  }
  Key key(PEM_read_bio_PrivateKey(Open(pem).get(), nullptr, nullptr, nullptr));
  if (key == nullptr) {
    return FileError("TLS_FILE_INVALID", path, "the file holds no private key without a passphrase")
        .Remedy("tls.key_file has to name a private key in PEM form.");
  }
  return key;
}

std::optional<Identity> IdentityIn(X509* certificate) {
  const Names names(static_cast<GENERAL_NAMES*>(X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr)));
  for (int i = 0; names != nullptr && i < sk_GENERAL_NAME_num(names.get()); ++i) {
    const GENERAL_NAME* name = sk_GENERAL_NAME_value(names.get(), i);
    if (name->type != GEN_URI) continue;
    const ASN1_IA5STRING* uri = name->d.uniformResourceIdentifier;
    const auto* text = reinterpret_cast<const char*>(ASN1_STRING_get0_data(uri));
    const auto found = ParseIdentity(std::string(text, static_cast<size_t>(ASN1_STRING_length(uri))));
    if (found) return found;
  }
  return std::nullopt;
}

absl::Status CheckInForce(const std::string& path, X509* certificate) {
  if (X509_cmp_current_time(X509_get0_notAfter(certificate)) < 0) {
    return FileError("TLS_CERTIFICATE_EXPIRED", path, "the certificate has expired")
        .Remedy("Have a new one made (`protector-pki issue`) and put it in its place.");
  }
  if (X509_cmp_current_time(X509_get0_notBefore(certificate)) > 0) {
    return FileError("TLS_CERTIFICATE_EXPIRED", path, "the certificate is not valid yet")
        .Remedy("Check this machine's clock, and the certificate's dates.");
  }
  return absl::OkStatus();
}

absl::StatusOr<Identity> Check(const TlsFiles& files) {
  PROTECTOR_RETURN_IF_ERROR(ReadCertificate(files.ca_file, "tls.ca_file").status());
  PROTECTOR_ASSIGN_OR_RETURN(const Certificate certificate,
                             ReadCertificate(files.certificate_file, "tls.certificate_file"));
  PROTECTOR_ASSIGN_OR_RETURN(const Key key, ReadKey(files.key_file));
  PROTECTOR_RETURN_IF_ERROR(CheckInForce(files.certificate_file, certificate.get()));
  if (X509_check_private_key(certificate.get(), key.get()) != 1) {
    return FileError("TLS_FILE_INVALID", files.key_file,
                     fmt::format("this is not the key of the certificate in {}", files.certificate_file))
        .Remedy("Put certificate and key in place together.");
  }
  const auto identity = IdentityIn(certificate.get());
  if (!identity) {
    return FileError("TLS_NO_IDENTITY", files.certificate_file,
                     "no subject alternative name of the certificate says which program of which site it is for")
        .Remedy("Have one made with URI:spiffe://protector/SITE/PROGRAM; `protector-pki issue` does.");
  }
  return *identity;
}

// Lets a connection come about if the other end proves to be the one that is meant. gRPC has checked the chain before.
class ServerIdentity final : public tls::ExternalCertificateVerifier {
 public:
  explicit ServerIdentity(const Identity& wanted) : wanted_(wanted) {}
  bool Verify(tls::TlsCustomVerificationCheckRequest* request, std::function<void(::grpc::Status)>,
              ::grpc::Status* sync_status) override {
    std::optional<Identity> found;
    for (const ::grpc::string_ref& uri : request->uri_names()) {
      found = ParseIdentity(std::string(uri.data(), uri.size()));
      if (found && Answers(*found, wanted_)) return true;
    }
    *sync_status = ::grpc::Status(::grpc::StatusCode::UNAUTHENTICATED,
                                  fmt::format("its certificate is of {}, not of {}",
                                              found ? found->Name() : "no program of this suite", wanted_.Name()));
    return true;
  }
  void Cancel(tls::TlsCustomVerificationCheckRequest*) override {}

 private:
  const Identity wanted_;
};

}  // namespace

Security Security::Insecure() {
  return {};
}

absl::StatusOr<Security> Security::Tls(const TlsFiles& files) {
  Security security;
  PROTECTOR_ASSIGN_OR_RETURN(security.self_, Check(files));
  security.provider_ = std::make_shared<tls::FileWatcherCertificateProvider>(files.key_file, files.certificate_file,
                                                                             files.ca_file, kRereadSeconds);
  return security;
}

std::shared_ptr<::grpc::ServerCredentials> Security::ForServer() const {
  if (insecure()) return ::grpc::InsecureServerCredentials();
  tls::TlsServerCredentialsOptions options(provider_);
  options.watch_root_certs();
  options.watch_identity_key_cert_pairs();
  options.set_cert_request_type(GRPC_SSL_REQUEST_AND_REQUIRE_CLIENT_CERTIFICATE_AND_VERIFY);
  return tls::TlsServerCredentials(options);
}

std::shared_ptr<::grpc::ChannelCredentials> Security::ForChannel(const Identity& server) const {
  if (insecure()) return ::grpc::InsecureChannelCredentials();
  tls::TlsChannelCredentialsOptions options;
  options.set_certificate_provider(provider_);
  options.watch_root_certs();
  options.watch_identity_key_cert_pairs();
  options.set_verify_server_certs(true);
  options.set_check_call_host(false);  // the identity is compared instead
  options.set_certificate_verifier(tls::ExternalCertificateVerifier::Create<ServerIdentity>(server));
  return tls::TlsCredentials(options);
}

}  // namespace protector::rpc
