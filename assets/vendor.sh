#!/bin/sh
# Re-creates the vendored front-end files from npm packages: htmx, its sse extension, uPlot, the Inter
# font, the icon sprite, and axe-core for the tests. To change a version, edit vendor/VERSIONS and run this.
# Needs npm and tar; nothing of it is needed to build or run Flow HQ.
set -eu
cd "$(dirname "$0")"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

unpack() { # unpack NAME: prints the folder the package of the recorded version was unpacked to
  version=$(awk -v n="$1" '$1 == n { print $2 }' vendor/VERSIONS)
  [ -n "$version" ] || { echo "vendor/VERSIONS names no version of $1" >&2; exit 1; }
  folder="$work/$(echo "$1" | tr '/@' '__')"
  mkdir -p "$folder"
  file=$(cd "$work" && npm pack --silent "$1@$version" 2>/dev/null)
  tar -xzf "$work/$file" -C "$folder" --strip-components=1
  echo "$folder"
}

htmx=$(unpack htmx.org)
cp "$htmx/dist/htmx.min.js" vendor/htmx.min.js
cp "$htmx/LICENSE" vendor/htmx.LICENSE

sse=$(unpack htmx-ext-sse)
cp "$sse/dist/sse.min.js" vendor/htmx-sse.min.js
cp "$sse/LICENSE" vendor/htmx-sse.LICENSE

uplot=$(unpack uplot)
cp "$uplot/dist/uPlot.iife.min.js" vendor/uplot.min.js
cp "$uplot/LICENSE" vendor/uplot.LICENSE

inter=$(unpack @fontsource-variable/inter)
cp "$inter/files/inter-latin-wght-normal.woff2" fonts/inter-latin.woff2
cp "$inter/files/inter-latin-ext-wght-normal.woff2" fonts/inter-latin-ext.woff2
cp "$inter/LICENSE" fonts/inter.LICENSE

lucide=$(unpack lucide-static)
cp "$lucide/LICENSE" icons/lucide.LICENSE
{
  printf '<svg xmlns="http://www.w3.org/2000/svg">\n'
  while read -r name; do
    [ -n "$name" ] || continue
    printf '<symbol id="%s" viewBox="0 0 24 24" fill="none" stroke="currentColor" stroke-width="1.5" stroke-linecap="round" stroke-linejoin="round">' "$name"
    # Only the shapes: what is between the opening svg tag and its end.
    tr '\n' ' ' <"$lucide/icons/$name.svg" | sed -e 's/.*<svg[^>]*>//' -e 's/<\/svg>.*//' -e 's/  */ /g' -e 's/^ //' -e 's/ $//' -e 's/ \/>/\/>/g'
    printf '</symbol>\n'
  done <icons/names
  printf '</svg>\n'
} >"$work/sprite.svg"
mv "$work/sprite.svg" icons/sprite.svg

axe=$(unpack axe-core)
mkdir -p ../templates/testdata
cp "$axe/axe.min.js" ../templates/testdata/axe.min.js
cp "$axe/LICENSE" ../templates/testdata/axe.LICENSE
