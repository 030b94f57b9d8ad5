library(testthat)
library(kerascrop)

test_check("kerascrop")
