// SPDX-License-Identifier: MIT
// mlp_learn_operands - what a sample has become so far: inputs of each layer, deltas
//
//     inputs of layer l = outputs of layer l - 1, in words of LANES; deltas one by one
//
// Golden model   model/learning/backprop.py: forward, backward
// Latency        1 cycle from an address to the value; a value can be read when its count says so
//
// Both lie in the order in which they come to be, so that a count tells what is there.

`default_nettype none

module mlp_learn_operands #(
    parameter LANES  = 2,               // inputs of a word, 1 or more
    parameter WORDS  = 3,               // words of inputs, those of the first layer left out
    parameter DELTAS = 9,               // deltas of all layers
    parameter ADDR_W = 5                // bits of each address and count
) (
    input  wire               clk,
    input  wire               rst,      // synchronous, active high
    input  wire               begins,   // a sample: nothing is there

    input  wire               y_valid,  // an output that is an input of the next layer
    input  wire               y_last,   // of its layer
    input  wire [7:0]         y,
    input  wire               d_valid,
    input  wire [15:0]        d,

    output reg  [ADDR_W-1:0]  x_count,
    output reg  [ADDR_W-1:0]  d_count,
    input  wire [ADDR_W-1:0]  x_addr,
    output wire [LANES*8-1:0] x_word,
    input  wire [ADDR_W-1:0]  d_addr,
    output wire [15:0]        d_word
);

    localparam X_W = WORDS  > 1 ? $clog2(WORDS)  : 1;
    localparam D_W = DELTAS > 1 ? $clog2(DELTAS) : 1;

    wire [LANES-1:0]   write;
    wire [LANES*8-1:0] word;
    wire               whole;

    mlp_learn_pack #(.LANES(LANES)) u_pack (
        .clk(clk), .rst(rst), .in_valid(y_valid), .in_last(y_last), .in_x(y),
        .out_write(write), .out_word(word), .out_whole(whole)
    );

    mlp_learn_ram #(.WIDTH(8), .PARTS(LANES), .DEPTH(WORDS)) u_inputs (
        .clk(clk), .write(write), .write_addr(x_count[X_W-1:0]), .write_data(word),
        .addr(x_addr[X_W-1:0]), .data(x_word)
    );

    mlp_learn_ram #(.WIDTH(16), .DEPTH(DELTAS)) u_deltas (
        .clk(clk), .write(d_valid), .write_addr(d_count[D_W-1:0]), .write_data(d),
        .addr(d_addr[D_W-1:0]), .data(d_word)
    );

    always @(posedge clk) begin
        if (rst || begins) begin
            x_count <= {ADDR_W{1'b0}};
            d_count <= {ADDR_W{1'b0}};
        end else begin
            x_count <= x_count + {{(ADDR_W-1){1'b0}}, y_valid && whole};
            d_count <= d_count + {{(ADDR_W-1){1'b0}}, d_valid};
        end
    end

    wire unused = &{1'b0, x_addr, d_addr};

endmodule

`default_nettype wire
