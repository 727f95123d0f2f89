// The control port: /sim/io (data plane), /sim/... (control plane), /sim/peer/... (replication arriving from other
// arrays).
//
// Threads: Serve is called on many at once. Ownership: borrows its parts. Failure: every failure becomes an answer.
#pragma once

#include <functional>
#include <string>

#include "simulators/flasharray/control/data_plane.h"
#include "simulators/flasharray/rest/dispatcher.h"

namespace protector::fasim {

class ControlServer {
 public:
  // What the replication side answers to one message of a peer; null means the link is cut.
  using PeerHandler = std::function<bool(const HttpRequest&, HttpResponse*)>;

  ControlServer(Context context, DataPlane* data, PeerHandler peer);
  void Serve(const HttpRequest& request, HttpResponse* response);

 private:
  void ServeIo(const HttpRequest& request, HttpResponse* response);
  void ServeVolumes(const HttpRequest& request, HttpResponse* response);
  void ServePods(const HttpRequest& request, HttpResponse* response);
  void ServeControl(const HttpRequest& request, HttpResponse* response);
  Json ReadSettings() const;
  void ChangeSettings(const Json& body);

  Context context_;
  DataPlane* data_;
  PeerHandler peer_;
};

}  // namespace protector::fasim
