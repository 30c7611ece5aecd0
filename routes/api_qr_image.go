package routes

import (
	"bytes"
	"encoding/base64"
	"image"
	"image/color"
	"image/png"

	"github.com/boombuler/barcode/qr"
)

const (
	qrPixels = 400 // at least: sharp at 264 CSS pixels on most phones
	qrQuiet  = 4   // white modules around the code, ISO/IEC 18004
)

// qrImage draws a QR code, black on white, as a PNG in a data URI.
func qrImage(text string) (string, error) {
	code, err := qr.Encode(text, qr.M, qr.Auto)
	if err != nil {
		return "", err
	}
	modules := code.Bounds().Dx() + 2*qrQuiet
	scale := (qrPixels + modules - 1) / modules
	img := image.NewPaletted(image.Rect(0, 0, modules*scale, modules*scale), color.Palette{color.White, color.Black})
	for y := range code.Bounds().Dy() {
		for x := range code.Bounds().Dx() {
			if color.GrayModel.Convert(code.At(x, y)).(color.Gray).Y > 127 {
				continue
			}
			for dy := range scale {
				for dx := range scale {
					img.SetColorIndex((x+qrQuiet)*scale+dx, (y+qrQuiet)*scale+dy, 1)
				}
			}
		}
	}
	var out bytes.Buffer
	if err := png.Encode(&out, img); err != nil {
		return "", err
	}
	return "data:image/png;base64," + base64.StdEncoding.EncodeToString(out.Bytes()), nil
}
