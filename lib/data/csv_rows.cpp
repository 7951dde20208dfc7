#include "lib/data/csv_rows.h"

#include <utility>

#include "lib/base/error.h"

namespace limbeck {
namespace {

class CsvParser {
 public:
  CsvParser(std::string_view text, const std::string& place) : rest_(text), place_(place) {
    if (rest_.starts_with("\xEF\xBB\xBF")) rest_.remove_prefix(3);
  }

  std::vector<CsvRow> run() {
    std::vector<CsvRow> rows;
    while (!rest_.empty()) {
      CsvRow row = next_row();
      const bool blank = row.fields.size() == 1 && row.fields.front().empty();
      if (!blank) rows.push_back(std::move(row));
    }
    return rows;
  }

 private:
  CsvRow next_row() {
    CsvRow row;
    row.line = line_;
    do {
      row.fields.push_back(accept("\"") ? quoted_field() : plain_field());
    } while (accept(","));
    if (!rest_.empty() && !accept("\r\n") && !accept("\n")) fail("text after a closing quote");
    ++line_;
    return row;
  }

  std::string plain_field() {
    size_t end = rest_.find_first_of(",\n");
    if (end == std::string_view::npos) end = rest_.size();
    if (end > 0 && rest_[end - 1] == '\r') --end;
    std::string field(rest_.substr(0, end));
    rest_.remove_prefix(end);
    accept_lone_return();
    return field;
  }

  /// A carriage return at the very end of the text has no line feed to go with.
  void accept_lone_return() {
    if (rest_ == "\r") rest_ = {};
  }

  std::string quoted_field() {
    std::string field;
    while (!rest_.empty()) {
      if (accept("\"\"")) {
        field += '"';
      } else if (accept("\"")) {
        accept_lone_return();
        return field;
      } else {
        line_ += rest_.front() == '\n' ? 1 : 0;
        field += rest_.front();
        rest_.remove_prefix(1);
      }
    }
    fail("a quote without end");
  }

  bool accept(std::string_view wanted) {
    if (!rest_.starts_with(wanted)) return false;
    rest_.remove_prefix(wanted.size());
    return true;
  }

  [[noreturn]] void fail(const std::string& received) const {
    throw_error(Category::kData, place_ + ", line " + std::to_string(line_),
                "fields must be separated by commas, and quotes closed", received,
                "correct the line");
  }

  std::string_view rest_;
  const std::string& place_;
  size_t line_ = 1;
};

}  // namespace

std::vector<CsvRow> parse_csv(std::string_view text, const std::string& place) {
  return CsvParser(text, place).run();
}

}  // namespace limbeck
