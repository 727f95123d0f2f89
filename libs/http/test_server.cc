#include "libs/http/test_server.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdlib>

#include "libs/base/sha256.h"

namespace protector::http {
namespace {

// A self-signed certificate for 127.0.0.1.
SSL_CTX* MakeTls() {
  EVP_PKEY* key = EVP_EC_gen("P-256");
  X509* certificate = X509_new();
  X509_set_version(certificate, 2);
  ASN1_INTEGER_set(X509_get_serialNumber(certificate), 1);
  X509_gmtime_adj(X509_getm_notBefore(certificate), -60);
  X509_gmtime_adj(X509_getm_notAfter(certificate), 3600);
  X509_set_pubkey(certificate, key);
  X509_NAME* name = X509_get_subject_name(certificate);
  X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, reinterpret_cast<const unsigned char*>("test"), -1, -1, 0);
  X509_set_issuer_name(certificate, name);
  X509_EXTENSION* san = X509V3_EXT_conf_nid(nullptr, nullptr, NID_subject_alt_name, "IP:127.0.0.1");
  X509_add_ext(certificate, san, -1);
  X509_EXTENSION_free(san);
  X509_sign(certificate, key, EVP_sha256());
  SSL_CTX* context = SSL_CTX_new(TLS_server_method());
  SSL_CTX_use_certificate(context, certificate);
  SSL_CTX_use_PrivateKey(context, key);
  X509_free(certificate);
  EVP_PKEY_free(key);
  return context;
}

}  // namespace

TestServer::TestServer(Handler handler, bool tls) : handler_(std::move(handler)), tls_(tls ? MakeTls() : nullptr) {
  listener_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t length = sizeof(address);
  if (bind(listener_, reinterpret_cast<sockaddr*>(&address), length) != 0 || listen(listener_, 64) != 0) std::abort();
  getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &length);
  port_ = ntohs(address.sin_port);
  acceptor_ = std::thread([this] { Accept(); });
}

TestServer::~TestServer() {
  stopping_ = true;
  shutdown(listener_, SHUT_RDWR);
  acceptor_.join();
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    for (const int fd : open_) shutdown(fd, SHUT_RDWR);
  }
  for (std::thread& thread : threads_) thread.join();
  for (const int fd : open_) close(fd);
  close(listener_);
  SSL_CTX_free(tls_);
}

std::string TestServer::url() const {
  return fmt::format("{}://127.0.0.1:{}", tls_ == nullptr ? "http" : "https", port_);
}

std::string TestServer::certificate_pem() const {
  BIO* memory = BIO_new(BIO_s_mem());
  PEM_write_bio_X509(memory, SSL_CTX_get0_certificate(tls_));
  char* data = nullptr;
  const long length = BIO_get_mem_data(memory, &data);
  std::string pem(data, static_cast<size_t>(length));
  BIO_free(memory);
  return pem;
}

std::string TestServer::certificate_sha256() const {
  unsigned char* der = nullptr;
  const int length = i2d_X509(SSL_CTX_get0_certificate(tls_), &der);
  const std::string hex = Sha256Hex(std::string_view(reinterpret_cast<char*>(der), static_cast<size_t>(length)));
  OPENSSL_free(der);
  return hex;
}

void TestServer::Accept() {
  while (!stopping_) {
    const int fd = accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    if (fd < 0) continue;
    ++connections_;
    const std::lock_guard<std::mutex> lock(mutex_);
    open_.push_back(fd);
    threads_.emplace_back([this, fd] { Serve(fd); });
  }
}

void TestServer::Serve(int fd) {
  if (tls_ == nullptr) {
    Converse([fd](char* data, size_t room) { return recv(fd, data, room, 0); },
             [fd](const std::string& text) { (void)!send(fd, text.data(), text.size(), MSG_NOSIGNAL); });
  } else {
    SSL* ssl = SSL_new(tls_);
    SSL_set_fd(ssl, fd);
    if (SSL_accept(ssl) == 1) {
      Converse(
          [ssl](char* data, size_t room) { return static_cast<long>(SSL_read(ssl, data, static_cast<int>(room))); },
          [ssl](const std::string& text) { SSL_write(ssl, text.data(), static_cast<int>(text.size())); });
    }
    SSL_free(ssl);
  }
  shutdown(fd, SHUT_RDWR);
}

void TestServer::Converse(const std::function<long(char*, size_t)>& read,
                          const std::function<void(const std::string&)>& write) {
  std::string text;
  char buffer[4096];
  while (true) {
    const size_t head_end = text.find("\r\n\r\n");
    size_t whole = std::string::npos;
    if (head_end != std::string::npos) {
      const size_t field = text.find("Content-Length: ");
      whole = head_end + 4 + (field < head_end ? std::strtoul(text.c_str() + field + 16, nullptr, 10) : 0);
    }
    if (text.size() >= whole) {
      const std::optional<std::string> answer = handler_(text.substr(0, whole), ++requests_);
      if (!answer.has_value()) return;
      write(*answer);
      text.erase(0, whole);
      continue;
    }
    const long length = read(buffer, sizeof(buffer));
    if (length <= 0) return;
    text.append(buffer, static_cast<size_t>(length));
  }
}

std::string Answer(int status, const std::string& body, const std::string& more_headers) {
  return fmt::format("HTTP/1.1 {} X\r\nContent-Length: {}\r\n{}\r\n{}", status, body.size(), more_headers, body);
}

}  // namespace protector::http
