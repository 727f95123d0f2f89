#include "cli/protector/output/value.h"

#include <cctype>

#include "cli/protector/output/render.h"
#include "cli/protector/output/text_width.h"

namespace protector::cli {
namespace {

std::string OneLine(const json::Value& value) {
  std::string text = Printable(CellText(value));
  for (char& c : text) {
    if (c == '\n') c = ' ';
  }
  return text;
}

std::string Quoted(const std::string& text) {
  std::string out = "\"";
  for (char c : text) {
    if (c == '"') out += '"';
    out += c;
  }
  return out + "\"";
}

}  // namespace

std::string ObjectValues(const Record& record) {
  std::string out;
  for (const Field& field : record.fields) out += Printable(HumanText(field.value)) + "\n";
  return out;
}

std::string ListValues(const Listing& listing) {
  std::string out;
  for (const auto& row : listing.rows) {
    for (size_t i = 0; i < row.size(); ++i) out += (i > 0 ? " " : "") + OneLine(row[i]);
    out += "\n";
  }
  return out;
}

std::string ListCsv(const Listing& listing) {
  std::string out;
  for (size_t i = 0; i < listing.columns.size(); ++i) out += (i > 0 ? "," : "") + Quoted(listing.columns[i].name);
  out += "\n";
  for (const auto& row : listing.rows) {
    for (size_t i = 0; i < row.size(); ++i) {
      out += i > 0 ? "," : "";
      out += row[i].IsNumber() ? HumanText(row[i]) : Quoted(Printable(CellText(row[i])));
    }
    out += "\n";
  }
  return out;
}

std::string ObjectShell(const Record& record) {
  std::string out;
  for (const Field& field : record.fields) {
    for (char c : field.name) out += std::isalnum(static_cast<unsigned char>(c)) != 0 ? c : '_';
    out += "=\"";
    for (char c : Printable(HumanText(field.value))) {
      if (c == '"' || c == '\\' || c == '$' || c == '`') out += '\\';
      out += c;
    }
    out += "\"\n";
  }
  return out;
}

}  // namespace protector::cli
