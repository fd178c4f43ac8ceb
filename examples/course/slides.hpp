// The slides of the course, in order. A slide is a file NAME.cpp with one function and a line in slides.cpp.
#pragma once

#include <string>
#include <vector>

#include "examples/course/board.hpp"

namespace cadena::examples::course {

/// Numbers that whoever runs a slide may choose: --name A,B,...
struct Setting {
  std::string name;
  Text about;
  std::vector<double> value;  ///< unless given; as many must be given
};

struct Slide {
  std::string name;
  Text title;
  Text about;  ///< one line for the help
  void (*run)(Board&);
  std::vector<Setting> settings = {};
};

Slide neuron();
Slide hebb();
Slide exercise();
Slide perceptron();
Slide structure();
Slide activations();
Slide feedforward();
Slide losses();
Slide backprop();
Slide update();
Slide descent();
Slide adam();
Slide sequence();
Slide digits();
Slide applications();

const std::vector<Slide>& slides();

}  // namespace cadena::examples::course
