// SPDX-License-Identifier: MIT
// mlp_slip_encode - frames to bytes of a line, as RFC 1055 (SLIP) has them
//
// Golden model   boards/protocol.py: slip
// Stream         in: the bytes of a frame, last with its last one; out: END, those bytes, END
// Throughput     1 cycle per byte of the line
// Latency        1 cycle

`default_nettype none

module mlp_slip_encode (
    input  wire       clk,
    input  wire       rst,              // synchronous, active high

    input  wire       in_valid,
    output wire       in_ready,
    input  wire       in_last,
    input  wire [7:0] in_data,

    output reg        out_valid,
    input  wire       out_ready,
    output reg  [7:0] out_data
);

    localparam [7:0] END     = 8'hc0;
    localparam [7:0] ESC     = 8'hdb;
    localparam [7:0] ESC_END = 8'hdc;
    localparam [7:0] ESC_ESC = 8'hdd;

    // What is sent next: the END in front, a byte (or the escape before it), its second half, the
    // END behind.
    localparam [1:0] FRONT = 2'd0, BYTE = 2'd1, SECOND = 2'd2, BACK = 2'd3;

    reg [1:0] state;

    wire move    = !out_valid || out_ready;
    wire special = in_data == END || in_data == ESC;

    assign in_ready = move && ((state == BYTE && !special) || state == SECOND);

    always @(posedge clk) begin
        if (rst)
            state <= FRONT;
        else if (move && state == BACK)
            state <= FRONT;
        else if (move && in_valid)
            case (state)
                FRONT:   state <= BYTE;
                BYTE:    state <= special ? SECOND : in_last ? BACK : BYTE;
                default: state <= in_last ? BACK : BYTE;
            endcase
    end

    always @(posedge clk) begin
        if (rst)
            out_valid <= 1'b0;
        else if (move)
            out_valid <= in_valid || state == BACK;
    end

    always @(posedge clk) begin
        if (move)
            case (state)
                BYTE:    out_data <= special ? ESC : in_data;
                SECOND:  out_data <= in_data == END ? ESC_END : ESC_ESC;
                default: out_data <= END;
            endcase
    end

endmodule

`default_nettype wire
