// What the command line says. Plain values; main.cc fills them.
#pragma once

#include <cstdint>
#include <map>
#include <string>

namespace protector::ossim {

struct Config {
  std::string site = "site-a";
  std::string ip;
  std::string advertise;  // host in the catalog; the ip when empty
  int port_offset = 0;
  std::string control;  // address:port
  std::string state_dir;
  std::string array = "";  // "rest", "none"
  std::string array_url, array_token, array_ca, array_io;
  bool array_insecure = false;
  std::string cinder_group;
  std::string seed_file;
  std::string latency = "zero";
  int64_t guest_interval_ms = 50;
  int64_t token_expiration_s = 3600;
  bool member_may_manage = false;
  bool resume_guests = true;

  std::string Host() const { return advertise.empty() ? ip : advertise; }
  int Port(const std::string& service) const {
    static const std::map<std::string, int> ports = {{"keystone", 5000}, {"nova", 8774},   {"cinder", 8776},
                                                     {"neutron", 9696},  {"glance", 9292}, {"placement", 8778}};
    return ports.at(service) + port_offset;
  }
  std::string Url(const std::string& service) const { return "http://" + Host() + ":" + std::to_string(Port(service)); }
};

}  // namespace protector::ossim
