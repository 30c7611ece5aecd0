package whatsapp

import (
	"context"
	"fmt"
	"log/slog"

	"go.mau.fi/libsignal/logger"
	waLog "go.mau.fi/whatsmeow/util/log"
)

// waLogger hands whatsmeow's log lines to slog. Its debug lines hold whole stanzas and its info lines tell what our own
// states tell better, so both go to debug.
type waLogger struct {
	log    *slog.Logger
	module string
}

var _ waLog.Logger = waLogger{}

func (l waLogger) write(level slog.Level, msg string, args []any) {
	if l.log.Enabled(context.Background(), level) {
		l.log.Log(context.Background(), level, fmt.Sprintf(msg, args...), "module", l.module)
	}
}

func (l waLogger) Debugf(msg string, args ...any) { l.write(slog.LevelDebug-4, msg, args) }
func (l waLogger) Infof(msg string, args ...any)  { l.write(slog.LevelDebug, msg, args) }
func (l waLogger) Warnf(msg string, args ...any)  { l.write(slog.LevelDebug, msg, args) }
func (l waLogger) Errorf(msg string, args ...any) { l.write(slog.LevelWarn, msg, args) }
func (l waLogger) Sub(module string) waLog.Logger {
	return waLogger{log: l.log, module: l.module + "/" + module}
}

// signalLogger takes libsignal's global log, which would print to standard output. What it calls an error is part of normal
// life (a message twice), and whoever calls it gets the error too.
type signalLogger struct{ log *slog.Logger }

func (l signalLogger) Debug(string, string) {}
func (l signalLogger) Info(string, string)  {}
func (l signalLogger) Warning(caller, msg string) {
	l.log.Debug(msg, "module", "signal", "caller", caller)
}
func (l signalLogger) Error(caller, msg string) {
	l.log.Debug(msg, "module", "signal", "caller", caller)
}
func (l signalLogger) Configure(string) {}

func quietSignal(log *slog.Logger) {
	var quiet logger.Loggable = signalLogger{log}
	logger.Setup(&quiet)
}
