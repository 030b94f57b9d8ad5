#!/bin/bash
# Builds the package and runs R CMD check --as-cran on it, in .check/; fails on an error or a warning. Needs no network.
set -e
rm -rf .check
mkdir -p .check/kerascrop .check/cran/web/packages
for part in DESCRIPTION NAMESPACE LICENSE NEWS.md README.md .Rbuildignore R inst man tests vignettes; do
  [ ! -e $part ] || cp -r $part .check/kerascrop
done
cd .check

# --as-cran asks CRAN who maintains the packages that this one needs; the installed packages can say so too.
Rscript -e 'saveRDS(as.data.frame(installed.packages(fields = "Maintainer")), "cran/web/packages/packages.rds")'
export R_CRAN_WEB="file://$PWD/cran"
export _R_CHECK_CRAN_INCOMING_=false _R_CHECK_SYSTEM_CLOCK_=false
export _R_CHECK_FORCE_SUGGESTS_=false # keras3 may be missing

R CMD build kerascrop
R CMD check --as-cran $(command -v pdflatex >/dev/null || echo --no-manual) kerascrop_*.tar.gz
! grep -q '^Status:.*WARNING' kerascrop.Rcheck/00check.log
