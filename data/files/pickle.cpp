#include "data/files/pickle.hpp"

#include <algorithm>
#include <bit>
#include <unordered_map>

#include "data/files/byte_reader.hpp"
#include "data/files/utf8.hpp"

namespace cadena::data {
namespace {

using Id = PickleValue::Id;

/// The opcodes, as Python's pickletools names them.
enum Op : std::uint8_t {
  mark = '(',
  stop = '.',
  none = 'N',
  reduce = 'R',
  build = 'b',
  global = 'c',
  persistent = 'Q',
  binint = 'J',
  binint1 = 'K',
  binint2 = 'M',
  long1 = 0x8A,
  new_true = 0x88,
  new_false = 0x89,
  binfloat = 'G',
  short_string = 'U',
  string = 'T',
  unicode = 'X',
  short_unicode = 0x8C,
  unicode8 = 0x8D,
  append = 'a',
  appends = 'e',
  empty_list = ']',
  tuple = 't',
  empty_tuple = ')',
  tuple1 = 0x85,
  tuple2 = 0x86,
  tuple3 = 0x87,
  empty_dict = '}',
  dict = 'd',
  list = 'l',
  setitem = 's',
  setitems = 'u',
  binget = 'h',
  long_binget = 'j',
  binput = 'q',
  long_binput = 'r',
  memoize = 0x94,
  proto = 0x80,
  frame = 0x95,
  stack_global = 0x93,
  pop = '0',
  pop_mark = '1',
  duplicate = '2'
};

class Machine {
 public:
  Machine(std::span<const std::uint8_t> bytes, const char* format, std::span<const std::string_view> globals)
      : in_(format, bytes), globals_(globals) {}

  Pickle run() {
    while (step()) {
    }
    if (stack_.size() != 1) fail("expected one value at the end, got " + std::to_string(stack_.size()));
    if (in_.left() != 0) fail("expected the end, got more bytes");
    out_.root = stack_.back();
    return std::move(out_);
  }

 private:
  [[noreturn]] void fail(const std::string& reason) const { in_.fail("pickle", reason); }

  template <class T>
  Id make(T value) {
    out_.values.push_back({std::move(value), in_.at()});
    return out_.values.size() - 1;
  }
  template <class T>
  bool push(T value) {
    stack_.push_back(make(std::move(value)));
    return true;
  }
  bool is_mark(Id id) const { return std::holds_alternative<PickleValue::Mark>(out_.values[id].v); }
  Id take() {
    if (stack_.empty() || is_mark(stack_.back())) fail("expected a value on the stack, got none");
    const Id id = stack_.back();
    stack_.pop_back();
    return id;
  }
  Id top() {
    const Id id = take();
    stack_.push_back(id);
    return id;
  }
  template <class T>
  T& top_as(const char* what) {
    if (auto* value = std::get_if<T>(&out_.values[top()].v)) return *value;
    fail(std::string("expected ") + what + " on the stack, got something else");
  }
  /// Everything above the last mark, which goes, too.
  std::vector<Id> take_to_mark() {
    const auto last = std::find_if(stack_.rbegin(), stack_.rend(), [&](Id id) { return is_mark(id); });
    if (last == stack_.rend()) fail("expected a mark on the stack, got none");
    std::vector<Id> items(last.base(), stack_.end());
    stack_.erase(last.base() - 1, stack_.end());
    return items;
  }
  bool push_tuple(std::size_t n) {
    std::vector<Id> items(n);
    for (std::size_t i = n; i-- > 0;) items[i] = take();
    return push(PickleValue::Sequence{std::move(items), true});
  }
  bool push_text(int length_bytes) {
    const auto text = in_.text(in_.number(length_bytes, "pickle"), "pickle");
    if (utf8_fault(text) != text.size()) fail("expected text in UTF-8, got other bytes");
    return push(std::string(text));
  }
  std::string line() {
    std::string text;
    for (char c = 0; (c = in_.text(1, "pickle")[0]) != '\n';) text += c;
    return text;
  }
  bool push_global(const std::string& name) {
    if (std::find(globals_.begin(), globals_.end(), name) == globals_.end())
      fail("expected tensors, numbers and text only, got " + name + ", which is not run");
    return push(PickleValue::Global{name});
  }
  bool push_stack_global() {
    const auto text = [&] {
      const Id id = take();
      if (const auto* s = std::get_if<std::string>(&out_.values[id].v)) return *s;
      fail("expected the name of a global, got something else");
    };
    const auto name = text(), module = text();
    return push_global(module + "." + name);
  }
  bool push_integer() {
    const auto n = static_cast<int>(in_.number(1, "pickle"));
    if (n > 8) fail("expected a number of at most 8 bytes, got " + std::to_string(n));
    if (n == 0) return push(std::int64_t{0});
    const auto bits = in_.number(n, "pickle");
    const int spare = 64 - 8 * n;  // the sign is the top bit of the last byte
    return push(static_cast<std::int64_t>(bits << spare) >> spare);
  }
  bool push_float() {
    std::uint64_t bits = 0;
    for (const std::uint8_t b : in_.take(8, "pickle")) bits = bits << 8 | b;
    return push(std::bit_cast<double>(bits));
  }
  bool push_memo(std::uint64_t key) {
    const auto found = memo_.find(key);
    if (found == memo_.end()) fail("expected a value that was put away, got number " + std::to_string(key));
    stack_.push_back(found->second);
    return true;
  }
  bool put_memo(std::uint64_t key) {
    memo_[key] = top();
    return true;
  }
  bool append_items(const std::vector<Id>& items) {
    auto& target = top_as<PickleValue::Sequence>("a list");
    if (target.is_tuple) fail("expected a list on the stack, got a tuple");
    target.items.insert(target.items.end(), items.begin(), items.end());
    return true;
  }
  void set_items(PickleValue::Dict& target, const std::vector<Id>& items) const {
    if (items.size() % 2 != 0) fail("expected keys with values, got an odd number");
    for (std::size_t i = 0; i < items.size(); i += 2) target.items.emplace_back(items[i], items[i + 1]);
  }
  bool push_dict(const std::vector<Id>& items) {
    PickleValue::Dict made;
    set_items(made, items);
    return push(std::move(made));
  }
  bool set_top(const std::vector<Id>& items) {
    set_items(top_as<PickleValue::Dict>("a dict"), items);
    return true;
  }
  bool call() {
    const Id arguments = take(), function = take();
    const auto* tuple_of = std::get_if<PickleValue::Sequence>(&out_.values[arguments].v);
    const auto* name = std::get_if<PickleValue::Global>(&out_.values[function].v);
    if (tuple_of == nullptr || !tuple_of->is_tuple || name == nullptr)
      fail("expected a function and a tuple on the stack, got something else");
    if (name->name == "collections.OrderedDict") {
      if (!tuple_of->items.empty()) fail("expected OrderedDict without arguments, got some");
      return push(PickleValue::Dict{});
    }
    return push(PickleValue::Call{name->name, arguments});
  }
  /// Attributes of an OrderedDict, such as _metadata, are of no use here.
  bool drop_attributes() {
    take();
    top_as<PickleValue::Dict>("a dict");
    return true;
  }

  bool step() {
    const auto op = static_cast<Op>(in_.number(1, "pickle"));
    switch (op) {
      case proto:
        if (const auto version = in_.number(1, "pickle"); version < 2 || version > 5)
          fail("expected protocol 2 to 5, got " + std::to_string(version));
        return true;
      case frame:
        in_.take(8, "pickle");
        return true;
      case stop:
        return false;
      case binget:
        return push_memo(in_.number(1, "pickle"));
      case long_binget:
        return push_memo(in_.u32("pickle"));
      case binput:
        return put_memo(in_.number(1, "pickle"));
      case long_binput:
        return put_memo(in_.u32("pickle"));
      case memoize:
        return put_memo(memo_.size());
      case pop:
        take();
        return true;
      case pop_mark:
        take_to_mark();
        return true;
      case duplicate:
        stack_.push_back(top());
        return true;
      default:
        return step_value(op);
    }
  }

  bool step_value(Op op) {
    switch (op) {
      case mark:
        return push(PickleValue::Mark{});
      case none:
        return push(PickleValue::None{});
      case new_true:
        return push(true);
      case new_false:
        return push(false);
      case binint:
        return push(std::int64_t{static_cast<std::int32_t>(in_.u32("pickle"))});
      case binint1:
        return push(static_cast<std::int64_t>(in_.number(1, "pickle")));
      case binint2:
        return push(static_cast<std::int64_t>(in_.u16("pickle")));
      case long1:
        return push_integer();
      case binfloat:
        return push_float();
      case short_string:
      case short_unicode:
        return push_text(1);
      case string:
      case unicode:
        return push_text(4);
      case unicode8:
        return push_text(8);
      default:
        return step_container(op);
    }
  }

  bool step_container(Op op) {
    switch (op) {
      case empty_tuple:
        return push_tuple(0);
      case tuple1:
        return push_tuple(1);
      case tuple2:
        return push_tuple(2);
      case tuple3:
        return push_tuple(3);
      case tuple:
        return push(PickleValue::Sequence{take_to_mark(), true});
      case empty_list:
        return push(PickleValue::Sequence{{}, false});
      case list:
        return push(PickleValue::Sequence{take_to_mark(), false});
      case append:
        return append_items({take()});
      case appends:
        return append_items(take_to_mark());
      case empty_dict:
        return push(PickleValue::Dict{});
      case dict:
        return push_dict(take_to_mark());
      case setitem: {
        const Id value = take(), key = take();
        return set_top({key, value});
      }
      case setitems:
        return set_top(take_to_mark());
      default:
        return step_object(op);
    }
  }

  bool step_object(Op op) {
    switch (op) {
      case global: {
        const auto module = line();
        return push_global(module + "." + line());
      }
      case stack_global:
        return push_stack_global();
      case reduce:
        return call();
      case build:
        return drop_attributes();
      case persistent:
        return push(PickleValue::Persistent{take()});
      default:
        fail("expected an opcode that tensors need, got " + std::to_string(op));
    }
  }

  ByteReader in_;
  std::span<const std::string_view> globals_;
  Pickle out_;
  std::vector<Id> stack_;
  std::unordered_map<std::uint64_t, Id> memo_;
};

}  // namespace

Pickle parse_pickle(std::span<const std::uint8_t> bytes, const char* format,
                    std::span<const std::string_view> globals) {
  return Machine(bytes, format, globals).run();
}

}  // namespace cadena::data
