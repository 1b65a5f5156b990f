// SPDX-License-Identifier: MIT
// mlp_activation - a function by table: an entry for each code
//
//     y = T[saturate(x >> DROP)]         x >> DROP rounds down, saturation is to ADDR_W bits
//
// Golden model   model/reference.py: activate; model/functions.py: the tables
// Stream         LANES values a beat; a stalled payload holds still
// Latency        1 cycle, one beat per cycle
//
// Entry a mod 2^ADDR_W of the table belongs to address a, -2^(ADDR_W-1) .. 2^(ADDR_W-1) - 1.

`default_nettype none

module mlp_activation #(
    parameter LANES  = 1,               // values a beat, 1 or more
    parameter X_W    = 8,               // signed input width, 2 .. 16
    parameter DROP   = 0,               // low bits of an input that do not count, 0 .. X_W - ADDR_W
    parameter ADDR_W = 8,               // bits of an address, 2 .. 12
    parameter Y_W    = 8,               // bits of an entry, 1 or more
    parameter FILE   = ""               // image: 2^ADDR_W words of Y_W bits
) (
    input  wire                 clk,
    input  wire                 rst,    // synchronous, active high

    input  wire                 in_valid,
    output wire                 in_ready,
    input  wire                 in_last,
    input  wire [LANES*X_W-1:0] in_x,

    output reg                  out_valid,
    input  wire                 out_ready,
    output reg                  out_last,
    output wire [LANES*Y_W-1:0] out_y
);

    // An illegal DROP counts as 0, so that elaboration gets as far as its message below.
    localparam LEGAL  = DROP >= 0 && ADDR_W >= 2 && ADDR_W <= 12 && ADDR_W + DROP <= X_W;
    localparam LOW    = LEGAL ? DROP : 0;
    localparam KEPT_W = X_W - LOW;

    localparam [ADDR_W-1:0] MOST  = {1'b0, {(ADDR_W-1){1'b1}}};
    localparam [ADDR_W-1:0] LEAST = {1'b1, {(ADDR_W-1){1'b0}}};

    // The value fits when all bits above the address's sign bit repeat it.
    function [ADDR_W-1:0] saturated(input [KEPT_W-1:0] kept);
        if (kept[KEPT_W-1:ADDR_W-1] == {(KEPT_W-ADDR_W+1){kept[KEPT_W-1]}})
            saturated = kept[ADDR_W-1:0];
        else
            saturated = kept[KEPT_W-1] ? LEAST : MOST;
    endfunction

    assign in_ready = !out_valid || out_ready;

    always @(posedge clk) begin
        if (rst)
            out_valid <= 1'b0;
        else if (in_ready)
            out_valid <= in_valid;
    end

    always @(posedge clk) begin
        if (in_ready)
            out_last <= in_last;
    end

    genvar k;
    generate
        for (k = 0; k < LANES; k = k + 1) begin : g_lane
            mlp_rom #(.WIDTH(Y_W), .DEPTH(1 << ADDR_W), .FILE(FILE)) u_table (
                .clk(clk), .en(in_ready), .addr(saturated(in_x[k*X_W+LOW +: KEPT_W])),
                .data(out_y[k*Y_W +: Y_W])
            );

            if (LOW > 0) begin : g_low
                wire unused = &{1'b0, in_x[k*X_W +: LOW]};
            end
        end
    endgenerate

    initial begin
        if (LANES < 1 || !LEGAL) begin
            $display("%m: LANES=%0d X_W=%0d DROP=%0d ADDR_W=%0d: need LANES >= 1, DROP >= 0 and 2 <= ADDR_W <= 12, at most X_W - DROP",
                     LANES, X_W, DROP, ADDR_W);
            $finish;
        end
    end

endmodule

`default_nettype wire
