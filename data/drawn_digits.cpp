#include "data/drawn_digits.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <span>
#include <string>

#include "autodiff/error.hpp"
#include "data/digit_strokes.hpp"

namespace cadena::data {
namespace {

constexpr int side = 28;
constexpr std::int64_t pixels_per_image = side * side;

using Words = std::array<std::uint32_t, 4>;

/// Philox 4x32-10 (Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", 2011): 128 random bits as a
/// pure function of counter and key, hence any image without those before it.
constexpr Words philox(Words counter, std::array<std::uint32_t, 2> key) {
  for (int round = 0; round < 10; ++round) {
    const std::uint64_t a = std::uint64_t{0xD2511F53U} * counter[0];
    const std::uint64_t b = std::uint64_t{0xCD9E8D57U} * counter[2];
    counter = {static_cast<std::uint32_t>(b >> 32U) ^ counter[1] ^ key[0], static_cast<std::uint32_t>(b),
               static_cast<std::uint32_t>(a >> 32U) ^ counter[3] ^ key[1], static_cast<std::uint32_t>(a)};
    key[0] += 0x9E3779B9U;
    key[1] += 0xBB67AE85U;
  }
  return counter;
}

// The known answers that the authors publish with their code.
static_assert(philox({0, 0, 0, 0}, {0, 0}) == Words{0x6627E8D5U, 0xE169C58DU, 0xBC57AC4CU, 0x9B00DBD8U});
static_assert(philox({0x243F6A88U, 0x85A308D3U, 0x13198A2EU, 0x03707344U}, {0xA4093822U, 0x299F31D0U}) ==
              Words{0xD16CFE09U, 0x94FDCCEBU, 0x5001E420U, 0x24126EA1U});

enum class Purpose : std::uint32_t { order, hand, noise };

/// The random numbers for one purpose of one image. Nothing of std::'s distributions is used, because
/// standard libraries differ in them.
class Random {
 public:
  Random(std::uint64_t seed, std::uint64_t index, Purpose purpose)
      : key_{static_cast<std::uint32_t>(seed), static_cast<std::uint32_t>(seed >> 32U)},
        counter_{static_cast<std::uint32_t>(index), static_cast<std::uint32_t>(index >> 32U), 0,
                 static_cast<std::uint32_t>(purpose)} {}

  std::uint32_t bits() {
    if (used_ == 4) {
      words_ = philox(counter_, key_);
      ++counter_[2];
      used_ = 0;
    }
    return words_[used_++];
  }

  /// In [0, 1).
  double uniform() { return bits() * 0x1p-32; }
  double uniform(double lo, double hi) { return lo + (hi - lo) * uniform(); }

  /// An integer in [0, n). The bias of n / 2^32 is of no concern here.
  std::uint32_t below(std::uint32_t n) {
    return static_cast<std::uint32_t>(std::uint64_t{bits()} * n >> 32U);
  }

  /// Mean 0, deviation `deviation`, nearly normal, but never further out than 3.5 deviations: a sum of four
  /// uniform ones needs no logarithm and draws no impossible digit.
  double normal(double deviation) {
    const double sum = uniform() + uniform() + uniform() + uniform();
    return (sum - 2) * 1.7320508075688772 * deviation;
  }

 private:
  std::array<std::uint32_t, 2> key_;
  Words counter_;
  Words words_{};
  std::size_t used_ = 4;
};

using detail::PenPath;
using Point = detail::StrokePoint;

/// A point of the ink: where the pen was, in pixels, and how far its ink reaches.
struct InkPoint {
  double x, y, radius;
};

/// How one hand writes one digit.
struct Hand {
  double jitter;                // deviation of a point of the stroke, in heights of a digit
  double bend, bend_x, bend_y;  // amplitude (heights) and phases of a slow wave through the whole digit
  double wave;                  // waves in a digit's height
  double haste;                 // largest share of a stroke that is left out at each end
  double slant, turn;           // shear, and radians
  double width, height;         // pixels
  double shift_x, shift_y;      // pixels, of the middle
  double radius, pressure, pressure_at;  // pen: pixels; relative swing of the radius and its phase
  double softness;                       // pixels over which the ink fades out
  double ink;                            // 0 to 1
  double grain;                          // noise on the ink, deviation in grey levels
  double specks;                         // share of paper pixels with a speck
};

Hand draw_hand(Random& random) {
  Hand hand{};
  hand.jitter = random.uniform(0.010, 0.048);
  hand.bend = random.uniform(0.0, 0.085);
  hand.bend_x = random.uniform(0, 6.283);
  hand.bend_y = random.uniform(0, 6.283);
  hand.wave = random.uniform(0.5, 1.1);
  hand.haste = random.uniform(0.0, 0.13);
  hand.slant = 0.10 + random.normal(0.26);
  hand.turn = random.normal(0.13);
  hand.height = random.uniform(14.5, 20.5);
  hand.width = hand.height * random.uniform(0.62, 1.28);
  hand.shift_x = random.normal(1.3);
  hand.shift_y = random.normal(1.3);
  hand.radius = 0.65 + 0.75 * random.uniform() * random.uniform() + 0.35 * random.uniform();
  hand.pressure = random.uniform(0.0, 0.28);
  hand.pressure_at = random.uniform(0, 6.283);
  hand.softness = random.uniform(1.0, 1.7);
  hand.ink = random.uniform(0.82, 1.0);
  hand.grain = random.uniform(2, 16);
  hand.specks = random.uniform() < 0.25 ? random.uniform(0.0, 0.01) : 0;
  return hand;
}

Point catmull_rom(const Point& before, const Point& from, const Point& to, const Point& after, double t) {
  const auto along = [t](double p0, double p1, double p2, double p3) {
    const double slope = 0.5 * (p2 - p0);
    const double bend = p0 - 2.5 * p1 + 2 * p2 - 0.5 * p3;
    const double twist = 0.5 * (p3 - p0) + 1.5 * (p1 - p2);
    return p1 + t * (slope + t * (bend + t * twist));
  };
  return {along(before.x, from.x, to.x, after.x), along(before.y, from.y, to.y, after.y)};
}

/// Appends a smooth curve through `points`, which has at least two.
void append_curve(std::span<const Point> points, std::vector<Point>& curve) {
  constexpr int steps = 4;  // a segment is about 4 pixels long
  const std::size_t last = points.size() - 1;
  for (std::size_t i = 0; i < last; ++i) {
    const Point& before = points[i == 0 ? 0 : i - 1];
    const Point& after = points[std::min(i + 2, last)];
    for (int step = i == 0 ? 0 : 1; step <= steps; ++step) {
      curve.push_back(
          catmull_rom(before, points[i], points[i + 1], after, static_cast<double>(step) / steps));
    }
  }
}

/// The path as the hand draws it, in heights of a digit: every point missed a little, smooth but for the
/// corners.
std::vector<Point> trace(PenPath path, const Hand& hand, Random& random) {
  std::vector<Point> points;
  std::vector<Point> curve;
  Point miss{};
  for (std::size_t i = 0; i < path.size(); ++i) {
    const bool repeated = i > 0 && path[i].x == path[i - 1].x && path[i].y == path[i - 1].y;
    if (repeated) {  // a corner: one smooth piece ends here and the next begins, at the same missed point
      append_curve(points, curve);
      points.clear();
    } else {
      miss = {random.normal(hand.jitter), random.normal(hand.jitter)};
    }
    points.push_back({path[i].x + miss.x, path[i].y + miss.y});
  }
  append_curve(points, curve);
  return curve;
}

/// Bends, slants and turns a point; still in heights of a digit.
Point distort(const Point& p, const Hand& hand) {
  const double waves = 6.283185307179586 * hand.wave;
  const double x = p.x + hand.bend * std::sin(waves * p.y + hand.bend_x) - hand.slant * p.y;
  const double y = p.y + hand.bend * std::sin(waves * p.x + hand.bend_y);
  const double c = std::cos(hand.turn);
  const double s = std::sin(hand.turn);
  return {c * x - s * y, s * x + c * y};
}

/// The pen comes down late or goes up early: drops up to a share of the curve at both ends.
std::span<const Point> cut(std::span<const Point> curve, const Hand& hand, Random& random) {
  const auto share = [&] {
    return static_cast<std::size_t>(static_cast<double>(curve.size()) * hand.haste * random.uniform());
  };
  const std::size_t late = share();
  const std::size_t early = share();
  return curve.subspan(late, curve.size() - late - early);
}

using Strokes = std::vector<std::vector<InkPoint>>;

/// Centres the strokes in the image, but for the hand's shift, and shrinks what would not fit on it.
void place(Strokes& strokes, const Hand& hand) {
  Point lo{1e9, 1e9};
  Point hi{-1e9, -1e9};
  for (const auto& stroke : strokes) {
    for (const InkPoint& p : stroke) {
      lo = {std::min(lo.x, p.x), std::min(lo.y, p.y)};
      hi = {std::max(hi.x, p.x), std::max(hi.y, p.y)};
    }
  }
  constexpr double most = side - 6;  // leaves 3 pixels on each side for the pen's width
  const double shrink = std::min({1.0, most / (hi.x - lo.x), most / (hi.y - lo.y)});
  // No further from the middle than keeps the ink on the paper.
  const double room_x = (most - shrink * (hi.x - lo.x)) / 2;
  const double room_y = (most - shrink * (hi.y - lo.y)) / 2;
  const double middle_x = side / 2.0 + std::clamp(hand.shift_x, -room_x, room_x);
  const double middle_y = side / 2.0 + std::clamp(hand.shift_y, -room_y, room_y);
  for (auto& stroke : strokes) {
    for (InkPoint& p : stroke) {
      p.x = middle_x + shrink * (p.x - (lo.x + hi.x) / 2);
      p.y = middle_y + shrink * (p.y - (lo.y + hi.y) / 2);
    }
  }
}

/// The strokes of one digit in pixels, in a style picked by weight.
Strokes write_digit(int digit, const Hand& hand, Random& random) {
  const auto styles = detail::digit_styles(digit);
  std::size_t style = 0;
  for (double pick = random.uniform(); style + 1 < styles.size() && pick >= styles[style].weight; ++style) {
    pick -= styles[style].weight;
  }
  Strokes strokes;
  double phase = hand.pressure_at;
  for (const PenPath path : styles[style].paths) {
    auto& stroke = strokes.emplace_back();
    const std::vector<Point> curve = trace(path, hand, random);
    for (const Point& point : cut(curve, hand, random)) {
      const Point p = distort(point, hand);
      phase += 0.2;  // the pressure swings once in about eight segments
      stroke.push_back(
          {p.x * hand.width, p.y * hand.height, hand.radius * (1 + hand.pressure * std::sin(phase))});
    }
  }
  place(strokes, hand);
  return strokes;
}

using Distances = std::array<double, pixels_per_image>;

/// Lowers each pixel's distance to the ink's edge (pixels, negative inside) by one straight piece of a
/// stroke.
void draw_piece(const InkPoint& a, const InkPoint& b, double reach, Distances& distances) {
  const double margin = std::max(a.radius, b.radius) + reach;
  const auto first = [&](double v) { return std::clamp(static_cast<int>(std::floor(v - margin)), 0, side); };
  const auto last = [&](double v) { return std::clamp(static_cast<int>(std::ceil(v + margin)), 0, side); };
  const double dx = b.x - a.x;
  const double dy = b.y - a.y;
  const double length2 = dx * dx + dy * dy + 1e-12;
  for (int row = first(std::min(a.y, b.y)); row < last(std::max(a.y, b.y)); ++row) {
    for (int col = first(std::min(a.x, b.x)); col < last(std::max(a.x, b.x)); ++col) {
      const double x = col + 0.5 - a.x;
      const double y = row + 0.5 - a.y;
      const double t = std::clamp((x * dx + y * dy) / length2, 0.0, 1.0);
      const double away = std::sqrt((x - t * dx) * (x - t * dx) + (y - t * dy) * (y - t * dy));
      double& distance = distances[static_cast<std::size_t>(row * side + col)];
      distance = std::min(distance, away - (a.radius + t * (b.radius - a.radius)));
    }
  }
}

/// Turns distances into grey: full ink inside, none outside, a smooth edge between. The last bits of a double
/// may differ between compilers (fused multiply-adds); rounding to 256 greys hides that, and exactly one
/// random word belongs to each pixel, so that nothing such a bit decides can shift the numbers of the other
/// pixels.
void develop(const Distances& distances, const Hand& hand, Random& random, std::span<std::uint8_t> image) {
  for (std::size_t i = 0; i < image.size(); ++i) {
    const std::uint32_t word = random.bits();
    const double edge = std::clamp(0.5 - distances[i] / hand.softness, 0.0, 1.0);
    const double cover = edge * edge * (3 - 2 * edge);
    // The sum of a word's bytes: nearly normal with mean 510 and deviation 148.
    const std::uint32_t bytes = (word & 255U) + (word >> 8U & 255U) + (word >> 16U & 255U) + (word >> 24U);
    const double grain = (static_cast<double>(bytes) - 510) * (hand.grain / 148);
    double grey = cover * (255 * hand.ink + grain);
    if (cover == 0 && word * 0x1p-32 < hand.specks) grey = 20 + (word & 63U);
    image[i] = static_cast<std::uint8_t>(std::lround(std::clamp(grey, 0.0, 255.0)));
  }
}

/// Each block of ten images is a shuffle of the ten digits.
int digit_at(std::uint64_t index, std::uint64_t seed) {
  std::array<int, 10> digits{0, 1, 2, 3, 4, 5, 6, 7, 8, 9};
  Random random(seed, index / 10, Purpose::order);
  for (std::uint32_t i = 9; i > 0; --i) std::swap(digits[i], digits[random.below(i + 1)]);
  return digits[index % 10];
}

void draw_digit(int digit, std::uint64_t index, std::uint64_t seed, std::span<std::uint8_t> image) {
  Random random(seed, index, Purpose::hand);
  const Hand hand = draw_hand(random);
  Distances distances;
  distances.fill(1e9);
  for (const auto& stroke : write_digit(digit, hand, random)) {
    for (std::size_t i = 1; i < stroke.size(); ++i)
      draw_piece(stroke[i - 1], stroke[i], hand.softness, distances);
  }
  Random noise(seed, index, Purpose::noise);
  develop(distances, hand, noise, image);
}

}  // namespace

DrawnDigits draw_digits(std::int64_t count, std::uint64_t seed) {
  constexpr std::int64_t most = std::numeric_limits<std::int64_t>::max() / pixels_per_image;
  if (count < 0 || count > most) {
    throw ValueError("[draw_digits] count must be between 0 and " + std::to_string(most) + ", got " +
                     std::to_string(count));
  }
  DrawnDigits digits;
  digits.labels.resize(static_cast<std::size_t>(count));
  digits.images.resize(static_cast<std::size_t>(count) * pixels_per_image);
  digits.count = count;
  digits.rows = digits.cols = side;
  for (std::size_t i = 0; i < digits.labels.size(); ++i) {
    const int digit = digit_at(i, seed);
    digits.labels[i] = static_cast<std::uint8_t>(digit);
    draw_digit(digit, i, seed, std::span(digits.images).subspan(i * pixels_per_image, pixels_per_image));
  }
  return digits;
}

}  // namespace cadena::data
