-- Which process a node is, so that its successor on the same machine sees that it is dead and need not wait for its leases' end.

-- +goose Up
ALTER TABLE nodes ADD process text NOT NULL DEFAULT ''; -- boot, process namespace, process, start; see whatsapp/process.go

-- +goose Down
ALTER TABLE nodes DROP process;
