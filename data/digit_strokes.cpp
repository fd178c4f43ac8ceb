#include "data/digit_strokes.hpp"

#include <array>
#include <cstddef>

namespace cadena::data::detail {
namespace {

using P = StrokePoint;

// 0: a closed oval, a narrow one begun at the side, one whose ends cross at the top.
constexpr P zero_oval[] = {{0.04, -0.50}, {-0.20, -0.38}, {-0.31, -0.02}, {-0.22, 0.36}, {0.00, 0.50},
                           {0.23, 0.37},  {0.31, 0.00},   {0.22, -0.37},  {0.02, -0.50}};
constexpr P zero_narrow[] = {{-0.05, -0.49}, {-0.21, -0.20}, {-0.20, 0.26}, {0.00, 0.50},
                             {0.19, 0.28},   {0.21, -0.18},  {0.06, -0.47}, {-0.07, -0.46}};
constexpr P zero_crossed[] = {{0.10, -0.54}, {-0.12, -0.43}, {-0.29, -0.08}, {-0.24, 0.34}, {0.02, 0.50},
                              {0.26, 0.28},  {0.29, -0.10},  {0.13, -0.40},  {-0.08, -0.46}};
constexpr PenPath zero_1[] = {zero_oval}, zero_2[] = {zero_narrow}, zero_3[] = {zero_crossed};
constexpr DigitStyle zeros[] = {{0.5, zero_1}, {0.25, zero_2}, {0.25, zero_3}};

// 1: a bare stem, one with a flag, one with flag and foot.
constexpr P one_stem[] = {{0.02, -0.50}, {0.00, 0.00}, {-0.02, 0.50}};
constexpr P one_flag[] = {{-0.20, -0.28}, {-0.06, -0.38}, {0.05, -0.50},
                          {0.05, -0.50},  {0.03, 0.00},   {0.02, 0.50}};
constexpr P one_foot[] = {{-0.20, 0.50}, {0.02, 0.49}, {0.24, 0.50}};
constexpr PenPath one_1[] = {one_stem}, one_2[] = {one_flag}, one_3[] = {one_flag, one_foot};
constexpr DigitStyle ones[] = {{0.55, one_1}, {0.3, one_2}, {0.15, one_3}};

// 2: with a corner and a straight base, with a loop and a swung base, like a Z with a round head.
constexpr P two_corner[] = {{-0.27, -0.27}, {-0.17, -0.44}, {0.04, -0.50}, {0.23, -0.38}, {0.22, -0.14},
                            {0.00, 0.16},   {-0.29, 0.48},  {-0.29, 0.48}, {0.00, 0.46},  {0.31, 0.47}};
constexpr P two_loop[] = {{-0.25, -0.32}, {-0.12, -0.47}, {0.10, -0.47}, {0.22, -0.28},
                          {0.13, 0.00},   {-0.06, 0.28},  {-0.24, 0.46}, {-0.31, 0.36},
                          {-0.20, 0.27},  {-0.02, 0.37},  {0.15, 0.47},  {0.32, 0.38}};
constexpr P two_flat[] = {{-0.22, -0.40}, {0.00, -0.50}, {0.20, -0.42}, {0.20, -0.22}, {-0.02, 0.12},
                          {-0.26, 0.46},  {-0.26, 0.46}, {-0.05, 0.50}, {0.26, 0.46}};
constexpr PenPath two_1[] = {two_corner}, two_2[] = {two_loop}, two_3[] = {two_flat};
constexpr DigitStyle twos[] = {{0.4, two_1}, {0.35, two_2}, {0.25, two_3}};

// 3: two bows, a flat head, two bows joined by a small loop.
constexpr P three_bows[] = {{-0.24, -0.39}, {-0.05, -0.50}, {0.19, -0.40}, {0.17, -0.17},
                            {-0.06, -0.04}, {-0.06, -0.04}, {0.18, 0.05},  {0.27, 0.26},
                            {0.10, 0.47},   {-0.12, 0.48},  {-0.28, 0.35}};
constexpr P three_flat[] = {{-0.24, -0.47}, {0.00, -0.48}, {0.23, -0.48}, {0.23, -0.48}, {-0.02, -0.10},
                            {-0.02, -0.10}, {0.20, 0.01},  {0.25, 0.26},  {0.05, 0.48},  {-0.27, 0.39}};
constexpr P three_loop[] = {{-0.22, -0.42}, {0.00, -0.51},  {0.20, -0.38},  {0.13, -0.16},
                            {-0.07, -0.03}, {-0.11, -0.08}, {-0.02, -0.09}, {0.20, 0.06},
                            {0.24, 0.30},   {0.04, 0.50},   {-0.24, 0.42}};
constexpr PenPath three_1[] = {three_bows}, three_2[] = {three_flat}, three_3[] = {three_loop};
constexpr DigitStyle threes[] = {{0.5, three_1}, {0.2, three_2}, {0.3, three_3}};

// 4: open in two strokes, closed in one, open with a round bowl.
constexpr P four_bowl[] = {{-0.20, -0.47}, {-0.24, -0.22}, {-0.28, 0.06},
                           {-0.28, 0.06},  {0.00, 0.06},   {0.32, 0.03}};
constexpr P four_stem[] = {{0.15, -0.45}, {0.12, 0.00}, {0.09, 0.50}};
constexpr P four_closed[] = {{0.13, 0.50},  {0.13, 0.00},  {0.15, -0.50}, {0.15, -0.50}, {-0.08, -0.18},
                             {-0.32, 0.15}, {-0.32, 0.15}, {0.00, 0.15},  {0.33, 0.14}};
constexpr P four_round[] = {{-0.22, -0.44}, {-0.27, -0.14}, {-0.16, 0.05}, {0.04, 0.03}, {0.18, -0.10}};
constexpr P four_tall[] = {{0.21, -0.50}, {0.17, 0.00}, {0.12, 0.50}};
constexpr PenPath four_1[] = {four_bowl, four_stem}, four_2[] = {four_closed},
                  four_3[] = {four_round, four_tall};
constexpr DigitStyle fours[] = {{0.5, four_1}, {0.25, four_2}, {0.25, four_3}};

// 5: bowl first and the bar put on, in one stroke, in one rounded stroke like an S.
constexpr P five_bowl[] = {{-0.18, -0.47}, {-0.20, -0.28}, {-0.22, -0.09}, {-0.22, -0.09}, {0.02, -0.15},
                           {0.23, 0.00},   {0.23, 0.26},   {0.05, 0.48},   {-0.27, 0.40}};
constexpr P five_bar[] = {{-0.18, -0.47}, {0.05, -0.48}, {0.29, -0.51}};
constexpr P five_one[] = {{0.27, -0.48},  {0.05, -0.48},  {-0.16, -0.47}, {-0.16, -0.47},
                          {-0.18, -0.30}, {-0.22, -0.08}, {-0.22, -0.08}, {0.04, -0.13},
                          {0.24, 0.06},   {0.20, 0.33},   {-0.02, 0.49},  {-0.28, 0.42}};
constexpr P five_round[] = {{0.26, -0.47}, {0.02, -0.48}, {-0.16, -0.38}, {-0.18, -0.18}, {0.00, -0.07},
                            {0.20, 0.10},  {0.18, 0.35},  {-0.02, 0.49},  {-0.26, 0.43}};
constexpr PenPath five_1[] = {five_bowl, five_bar}, five_2[] = {five_one}, five_3[] = {five_round};
constexpr DigitStyle fives[] = {{0.5, five_1}, {0.3, five_2}, {0.2, five_3}};

// 6: a swung stem, a straight one, a low one with a small loop.
constexpr P six_swung[] = {{0.18, -0.48}, {-0.07, -0.31}, {-0.25, 0.06}, {-0.18, 0.40}, {0.05, 0.50},
                           {0.25, 0.30},  {0.15, 0.08},   {-0.06, 0.07}, {-0.23, 0.24}};
constexpr P six_straight[] = {{0.06, -0.50}, {-0.12, -0.16}, {-0.22, 0.20}, {-0.10, 0.47}, {0.14, 0.45},
                              {0.24, 0.24},  {0.08, 0.06},   {-0.13, 0.14}, {-0.20, 0.30}};
constexpr P six_small[] = {{-0.02, -0.50}, {-0.18, -0.14}, {-0.20, 0.26}, {0.00, 0.50},
                           {0.20, 0.38},   {0.16, 0.18},   {-0.02, 0.16}, {-0.16, 0.32}};
constexpr PenPath six_1[] = {six_swung}, six_2[] = {six_straight}, six_3[] = {six_small};
constexpr DigitStyle sixes[] = {{0.45, six_1}, {0.35, six_2}, {0.2, six_3}};

// 7: plain, with a bar through the stem, with a serif and a swung stem.
constexpr P seven_plain[] = {{-0.28, -0.45}, {0.00, -0.47}, {0.27, -0.48},
                             {0.27, -0.48},  {0.09, -0.05}, {-0.08, 0.50}};
constexpr P seven_bar[] = {{-0.14, 0.03}, {0.05, 0.01}, {0.24, 0.00}};
constexpr P seven_serif[] = {{-0.29, -0.29}, {-0.27, -0.46}, {-0.27, -0.46}, {0.00, -0.44},
                             {0.28, -0.47},  {0.28, -0.47},  {0.09, -0.10},  {0.01, 0.50}};
constexpr PenPath seven_1[] = {seven_plain}, seven_2[] = {seven_plain, seven_bar}, seven_3[] = {seven_serif};
constexpr DigitStyle sevens[] = {{0.45, seven_1}, {0.3, seven_2}, {0.25, seven_3}};

// 8: one stroke begun at the upper right, one begun at the top, two circles.
constexpr P eight_s[] = {{0.21, -0.37}, {0.00, -0.50}, {-0.20, -0.34}, {-0.09, -0.10},
                         {0.14, 0.08},  {0.23, 0.30},  {0.00, 0.50},   {-0.23, 0.30},
                         {-0.12, 0.06}, {0.12, -0.12}, {0.22, -0.36}};
constexpr P eight_top[] = {{0.04, -0.50}, {-0.19, -0.36}, {-0.10, -0.12}, {0.12, 0.06},
                           {0.23, 0.30},  {0.00, 0.50},   {-0.22, 0.31},  {-0.12, 0.07},
                           {0.09, -0.12}, {0.18, -0.36},  {0.02, -0.50}};
constexpr P eight_upper[] = {{0.02, -0.50}, {-0.17, -0.40}, {-0.16, -0.16}, {0.01, -0.05},
                             {0.18, -0.17}, {0.17, -0.40},  {0.00, -0.50}};
constexpr P eight_lower[] = {{0.00, -0.05}, {-0.21, 0.09}, {-0.21, 0.37}, {0.00, 0.50},
                             {0.22, 0.36},  {0.21, 0.09},  {0.00, -0.05}};
constexpr PenPath eight_1[] = {eight_s}, eight_2[] = {eight_top}, eight_3[] = {eight_upper, eight_lower};
constexpr DigitStyle eights[] = {{0.5, eight_1}, {0.3, eight_2}, {0.2, eight_3}};

// 9: a straight stem, a swung tail, a stem of its own.
constexpr P nine_straight[] = {{0.21, -0.36}, {0.02, -0.50}, {-0.21, -0.35}, {-0.18, -0.09}, {0.03, -0.05},
                               {0.20, -0.24}, {0.22, -0.42}, {0.22, -0.42},  {0.18, 0.05},   {0.11, 0.50}};
constexpr P nine_tail[] = {{0.22, -0.34}, {0.04, -0.50}, {-0.20, -0.36}, {-0.18, -0.10},
                           {0.04, -0.04}, {0.21, -0.22}, {0.23, -0.40},  {0.23, -0.40},
                           {0.23, -0.02}, {0.19, 0.30},  {0.02, 0.49},   {-0.20, 0.42}};
constexpr P nine_head[] = {{0.16, -0.42}, {-0.02, -0.50}, {-0.22, -0.34}, {-0.16, -0.10},
                           {0.06, -0.08}, {0.20, -0.28},  {0.14, -0.46}};
constexpr P nine_stem[] = {{0.22, -0.46}, {0.16, 0.00}, {0.02, 0.50}};
constexpr PenPath nine_1[] = {nine_straight}, nine_2[] = {nine_tail}, nine_3[] = {nine_head, nine_stem};
constexpr DigitStyle nines[] = {{0.45, nine_1}, {0.3, nine_2}, {0.25, nine_3}};

constexpr std::array<std::span<const DigitStyle>, 10> styles{zeros, ones,  twos,   threes, fours,
                                                             fives, sixes, sevens, eights, nines};

}  // namespace

std::span<const DigitStyle> digit_styles(int digit) { return styles[static_cast<std::size_t>(digit)]; }

}  // namespace cadena::data::detail
