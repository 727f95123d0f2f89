#include "cli/protector/output/render.h"

#include <fmt/format.h>

#include <algorithm>

#include "cli/protector/args/usage.h"
#include "cli/protector/output/table.h"
#include "cli/protector/output/value.h"
#include "cli/protector/output/yaml.h"

namespace protector::cli {
namespace {

template <typename Items>
std::string Names(const Items& items) {
  std::string out;
  for (const auto& item : items) out += (out.empty() ? "" : ", ") + item.name;
  return out;
}

// Positions of what is to be shown, in the order to show it.
template <typename Items>
absl::StatusOr<std::vector<size_t>> Choose(const Items& items, const Style& style) {
  const bool for_machines = style.format == "json" || style.format == "yaml";
  std::vector<size_t> chosen;
  for (size_t i = 0; i < items.size() && style.columns.empty(); ++i) {
    if (for_machines || !items[i].machine_only) chosen.push_back(i);
  }
  for (const std::string& wanted : style.columns) {
    const auto found = std::find_if(items.begin(), items.end(), [&](const auto& item) { return item.name == wanted; });
    if (found == items.end()) {
      return UsageError(fmt::format("there is no column '{}' here", wanted))
          .Remedy(fmt::format("Columns: {}.", Names(items)));
    }
    chosen.push_back(static_cast<size_t>(found - items.begin()));
  }
  return chosen;
}

absl::Status WrongFormat(const std::string& format, const std::string& shape, const std::string& formats) {
  return UsageError(fmt::format("-f {} cannot show {}", format, shape)).Remedy(fmt::format("Use -f {}.", formats));
}

bool Less(const json::Value& a, const json::Value& b) {
  if (a.IsNumber() && b.IsNumber()) return *a.AsDouble() < *b.AsDouble();
  return CellText(a) < CellText(b);
}

absl::Status Sort(Listing& listing, const Style& style) {
  for (auto wanted = style.sort_columns.rbegin(); wanted != style.sort_columns.rend(); ++wanted) {
    Style only;
    only.columns = {*wanted};
    auto chosen = Choose(listing.columns, only);
    if (!chosen.ok()) return chosen.status();
    const size_t at = chosen->front();
    std::stable_sort(listing.rows.begin(), listing.rows.end(), [&](const auto& a, const auto& b) {
      return style.sort_descending ? Less(b[at], a[at]) : Less(a[at], b[at]);
    });
  }
  return absl::OkStatus();
}

std::string Json(const json::Value& value, const Style& style) {
  return (style.noindent ? value.Dump() : value.DumpPretty()) + "\n";
}

json::Value AsJson(const Record& record) {
  json::Value object = json::Value::Object();
  for (const Field& field : record.fields) object.Set(field.name, field.value);
  return object;
}

json::Value AsJson(const Listing& listing) {
  json::Value array = json::Value::Array();
  for (const auto& row : listing.rows) {
    json::Value object = json::Value::Object();
    for (size_t i = 0; i < row.size(); ++i) object.Set(listing.columns[i].name, row[i]);
    array.Append(std::move(object));
  }
  return array;
}

// JSON on one line with a blank after each comma and colon outside of strings.
std::string Spaced(const std::string& dump) {
  std::string out;
  bool in_string = false;
  for (size_t i = 0; i < dump.size(); ++i) {
    out += dump[i];
    if (in_string && dump[i] == '\\' && i + 1 < dump.size()) {
      out += dump[++i];
    } else if (dump[i] == '"') {
      in_string = !in_string;
    } else if (!in_string && (dump[i] == ',' || dump[i] == ':')) {
      out += ' ';
    }
  }
  return out;
}

}  // namespace

std::string HumanText(const json::Value& value) {
  if (value.IsNull()) return "";
  if (const auto text = value.AsString()) return *text;
  if (const auto flag = value.AsBool()) return *flag ? "True" : "False";
  return value.IsNumber() ? value.Dump() : Spaced(value.Dump());
}

std::string CellText(const json::Value& value) {
  if (!value.IsArray()) return HumanText(value);
  std::string text;
  for (const json::Value& item : value.items()) {
    if (item.IsArray() || item.IsObject()) return HumanText(value);
    text += (text.empty() ? "" : ", ") + HumanText(item);
  }
  return text;
}

absl::StatusOr<std::string> Render(const Record& record, const Style& style) {
  PROTECTOR_ASSIGN_OR_RETURN(const std::vector<size_t> chosen, Choose(record.fields, style));
  Record shown;
  for (size_t i : chosen) shown.fields.push_back(record.fields[i]);
  if (style.format == "json") return Json(AsJson(shown), style);
  if (style.format == "yaml") return ToYaml(AsJson(shown));
  if (style.format == "value") return ObjectValues(shown);
  if (style.format == "shell") return ObjectShell(shown);
  if (style.format == "table") return ObjectTable(shown, style.max_width);
  return WrongFormat(style.format, "a single object", "table, json, yaml, value or shell");
}

absl::StatusOr<std::string> Render(const Listing& listing, const Style& style) {
  Listing sorted = listing;
  PROTECTOR_RETURN_IF_ERROR(Sort(sorted, style));
  PROTECTOR_ASSIGN_OR_RETURN(const std::vector<size_t> chosen, Choose(sorted.columns, style));
  Listing shown;
  for (size_t i : chosen) shown.columns.push_back(sorted.columns[i]);
  for (auto& row : sorted.rows) {
    shown.rows.emplace_back();
    for (size_t i : chosen) shown.rows.back().push_back(row[i]);
  }
  if (style.format == "json") return Json(AsJson(shown), style);
  if (style.format == "yaml") return ToYaml(AsJson(shown));
  if (style.format == "value") return ListValues(shown);
  if (style.format == "csv") return ListCsv(shown);
  if (style.format == "table") return ListTable(shown, style.max_width);
  return WrongFormat(style.format, "a list", "table, json, yaml, value or csv");
}

}  // namespace protector::cli
