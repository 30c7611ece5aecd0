package routes

import (
	"bytes"
	"image"
	"image/color"
	"image/png"

	"github.com/boombuler/barcode"
	"github.com/boombuler/barcode/qr"
)

// qrSize is the side of a QR image in pixels: twice what pages show, for sharp screens, with the quiet zone around it.
const qrSize = 528

// QRPNG draws a QR code, black on white with its quiet zone, as a PNG of 528 by 528 pixels.
func QRPNG(text string) ([]byte, error) {
	code, err := qr.Encode(text, qr.L, qr.Auto)
	if err != nil {
		return nil, err
	}
	modules := code.Bounds().Dx()
	scale := qrSize / (modules + 8) // four modules of quiet on each side
	if scale < 1 {
		scale = 1
	}
	scaled, err := barcode.Scale(code, modules*scale, modules*scale)
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	encoder := png.Encoder{CompressionLevel: png.BestSpeed}
	err = encoder.Encode(&b, quietZone{scaled, max(qrSize, modules*scale)})
	return b.Bytes(), err
}

// quietZone is a code in the middle of a white square; without the white around it, phones find it badly.
type quietZone struct {
	code image.Image
	side int
}

// ColorModel has two colours in mind: one byte a pixel is enough.
func (z quietZone) ColorModel() color.Model { return color.GrayModel }

// Bounds is the white square.
func (z quietZone) Bounds() image.Rectangle { return image.Rect(0, 0, z.side, z.side) }

// At is white outside the code.
func (z quietZone) At(x, y int) color.Color {
	edge := (z.side - z.code.Bounds().Dx()) / 2
	p := image.Pt(x-edge, y-edge).Add(z.code.Bounds().Min)
	if !p.In(z.code.Bounds()) {
		return color.Gray{Y: 255}
	}
	return color.GrayModel.Convert(z.code.At(p.X, p.Y))
}
