#pragma once
// Easy handles of libcurl, kept with the connection each has open.
//
// Threads: safe for all. Ownership: the pool owns idle handles, a Lease the one it holds. Failure: a Lease of a process
// that is out of memory holds nullptr.

#include <curl/curl.h>

#include <list>
#include <mutex>
#include <string>

namespace protector::http {

class CurlHandlePool {
 public:
  explicit CurlHandlePool(size_t max_idle) : max_idle_(max_idle) {}
  ~CurlHandlePool();
  CurlHandlePool(const CurlHandlePool&) = delete;
  CurlHandlePool& operator=(const CurlHandlePool&) = delete;

  class Lease {
   public:
    Lease(CurlHandlePool& pool, const std::string& origin) : pool_(pool), origin_(origin), handle_(pool.Take(origin)) {}
    ~Lease() { pool_.Return(origin_, handle_); }
    Lease(const Lease&) = delete;
    Lease& operator=(const Lease&) = delete;
    CURL* get() const { return handle_; }

   private:
    CurlHandlePool& pool_;
    const std::string origin_;
    CURL* const handle_;
  };

 private:
  CURL* Take(const std::string& origin);
  void Return(const std::string& origin, CURL* handle);

  const size_t max_idle_;
  std::mutex mutex_;
  std::list<std::pair<std::string, CURL*>> idle_;  // the one used last is first
};

}  // namespace protector::http
