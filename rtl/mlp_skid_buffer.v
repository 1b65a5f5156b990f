// SPDX-License-Identifier: MIT
// mlp_skid_buffer - registers a stream's ready: no chain of ready signals passes through
//
//     out = in
//
// Golden model   the identity
// Stream         any payload; a stalled payload holds still
// Latency        0 cycles, one beat per cycle
//
// A beat passes by. One that arrives while `out` is stalled was promised a place: the spare.

`default_nettype none

module mlp_skid_buffer #(
    parameter W = 8                     // bits of the payload
) (
    input  wire         clk,
    input  wire         rst,            // synchronous, active high

    input  wire         in_valid,
    output wire         in_ready,
    input  wire         in_last,
    input  wire [W-1:0] in_data,

    output wire         out_valid,
    input  wire         out_ready,
    output wire         out_last,
    output wire [W-1:0] out_data
);

    reg         spare_valid;
    reg         spare_last;
    reg [W-1:0] spare_data;

    assign in_ready  = !spare_valid;
    assign out_valid = in_valid || spare_valid;
    assign out_last  = spare_valid ? spare_last : in_last;
    assign out_data  = spare_valid ? spare_data : in_data;

    always @(posedge clk) begin
        if (rst)
            spare_valid <= 1'b0;
        else
            spare_valid <= out_valid && !out_ready;
    end

    always @(posedge clk) begin
        if (in_ready) begin
            spare_last <= in_last;
            spare_data <= in_data;
        end
    end

endmodule

`default_nettype wire
