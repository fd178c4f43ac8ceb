// A variational autoencoder: Kingma and Welling, "Auto-Encoding Variational Bayes", arXiv:1312.6114.
#pragma once

#include "autodiff/random.hpp"
#include "nn/nn.hpp"

namespace cadena::examples {

/// What the encoder says about the codes of images: normal distributions, (batch, latent) each.
struct Posterior {
  Tensor mean, log_variance;

  /// A code from each, mean + deviation * noise: differentiable in both, which is the whole trick (section
  /// 2.4 there).
  Tensor sample() const;
  /// How far each is from the standard normal, in nats: KL(q(z|x) || p(z)), (batch). Appendix B there.
  Tensor divergence() const;
};

/// Images -> codes of a few numbers -> images, both ways through two hidden layers.
struct Vae : nn::Module {
  nn::Linear encode1, encode2, to_mean, to_log_variance;
  nn::Linear decode1, decode2, to_pixels;

  Vae(std::int64_t rows, std::int64_t columns, std::int64_t latent);

  /// @param images (batch, rows, columns) in [0, 1]
  Posterior encode(const Tensor& images);
  /// (batch, latent) -> (batch, rows, columns), the logits of each pixel's probability of ink
  Tensor decode(const Tensor& codes);
  /// decode as images in [0, 1].
  Tensor draw(const Tensor& codes);

  std::int64_t latent() const { return to_mean.weight.size(0); }
  void visit(nn::Visitor& v) override;

 private:
  std::int64_t rows_, columns_;
};

/// The two sides of the evidence lower bound, in nats, means over the images: how well a code's picture says
/// what the image is, and how much the code tells. A grey is read as the probability of ink, so
/// `likelihood - divergence` bounds the mean log-probability of images whose pixels are drawn black or white
/// by these probabilities.
struct Elbo {
  Tensor likelihood, divergence;
  Tensor bound() const;
};
/// With one code for each image (equation 10 there, with the divergence in closed form).
Elbo elbo(Vae& vae, const Tensor& images);

}  // namespace cadena::examples
