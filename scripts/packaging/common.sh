# Sourced by the programs of this directory, called with BUILD (a configured and built directory) and OUTPUT. They run in
# the project's directory. The same programs give the same bytes: all times are SOURCE_DATE_EPOCH, by default that of the
# changelog.
set -euo pipefail
(($# == 2)) || { sed -n 's/^#   \(scripts\/packaging\/.*\)/\1/p' "$0" >&2; exit 2; }
build=$(realpath "$1")
mkdir -p "$2"
output=$(realpath "$2")
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
umask 022

changelog=scripts/debian/changelog
export SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(dpkg-parsechangelog --file "$changelog" --show-field Timestamp)}
version=$(dpkg-parsechangelog --file "$changelog" --show-field Version)
release=${version##*-} version=${version%-*}
source scripts/packaging/addresses

# The names of the processor in file names, and in an RPM.
case $(LC_ALL=C readelf -h "$build/pons" | sed -n 's/^ *Machine: *//p') in
  *X86-64) arch=amd64 rpm_arch=x86_64 ;;
  AArch64) arch=arm64 rpm_arch=aarch64 ;;
  *) echo "${0##*/}: $build/pons is for neither amd64 nor arm64" >&2; exit 1 ;;
esac
name=pons-$version-linux-$arch

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# stage <build> <prefix>: what "cmake --install" installs, below $work/stage.
stage() {
  DESTDIR=$work/stage cmake --install "$1" --prefix "$2" --strip >/dev/null
  find "$work/stage" -exec touch --no-dereference --date "@$SOURCE_DATE_EPOCH" {} +
}
