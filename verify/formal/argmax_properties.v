// SPDX-License-Identifier: MIT
// argmax_properties - mlp_argmax keeps the contract of streams
//
//     the logits, and beside them the lowest index at which none is larger

`default_nettype none

module argmax_properties #(
    parameter N        = 3,
    parameter LANES    = 1,
    parameter X_W      = 2,
    parameter CAPACITY = 2,
    parameter PATIENCE = 2
) (
    input wire             clk,
    input wire             rst,
    input wire             in_valid,
    input wire [N*X_W-1:0] in_x,
    input wire             out_ready
);

    localparam CLASS_W = $clog2(N);

    wire               in_ready;
    wire               out_valid;
    wire [N*X_W-1:0]   out_x;
    wire [CLASS_W-1:0] out_class;

    mlp_argmax #(.N(N), .LANES(LANES), .X_W(X_W)) u_dut (
        .clk(clk), .rst(rst),
        .in_valid(in_valid), .in_ready(in_ready), .in_x(in_x),
        .out_valid(out_valid), .out_ready(out_ready), .out_x(out_x), .out_class(out_class)
    );

    // From the last one down: a later one gives way to one that is as large.
    reg [CLASS_W-1:0] winner;
    integer k, largest, x;

    always @* begin
        winner  = 0;
        largest = -(1 << X_W);
        for (k = N - 1; k >= 0; k = k - 1) begin
            x = $signed(in_x[k*X_W +: X_W]);
            if (x >= largest) begin
                largest = x;
                winner  = k[CLASS_W-1:0];
            end
        end
    end

    stream_contract #(
        .W(CLASS_W + N*X_W), .CAPACITY(CAPACITY), .PATIENCE(PATIENCE)
    ) u_contract (
        .clk(clk), .rst(rst),
        .in_valid(in_valid), .in_ready(in_ready),
        .in_first(1'b1), .in_last(1'b1), .in_good(1'b1), .promised({winner, in_x}),
        .out_valid(out_valid), .out_ready(out_ready), .out_payload({out_class, out_x})
    );

endmodule

`default_nettype wire
